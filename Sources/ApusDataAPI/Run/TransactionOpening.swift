import ApusCatalog
import ApusPostgres
import ApusSQL
import Synchronization

/// Which settings a request's transaction starts with; the part of them that does not depend on values.
struct OpeningShape: Sendable, Hashable {
    /// Settings whose values are known with the shape, in order: search path, time zone, a function's own and
    /// `app.settings.*`. They are set before the role, whose rights they may exceed.
    var constants: [Function.Setting] = []
    var isReadOnly = false
    /// `serializable` and the like; has to be set by a statement of its own, before any snapshot is taken.
    var isolation: String?
    var usesMethod = false
    var usesPath = false
    var usesHeaders = false
    var usesCookies = false
}

/// Makes the statements that run before a request's own, in the same transaction: the caller's role, claims and
/// settings, all by one `select set_config(…, true), …`.
final class TransactionOpening: Sendable {
    private struct Key: Hashable {
        var shape: OpeningShape
        var roleSettings: [Function.Setting]
    }

    private let texts = Mutex<[Key: StatementText]>([:])
    private let isolationTexts = Mutex<[String: StatementText]>([:])

    /// More shapes than any schema has; a bound all the same.
    private static let limit = 4_096

    /// The steps, in order.
    ///
    /// - Parameter isFirst: whether nothing ran before in this transaction; later, its isolation is fixed.
    func steps(
        _ shape: OpeningShape, _ request: DataRequest, _ catalog: Catalog, isFirst: Bool = true
    ) -> [RoundTrip.Step] {
        let role = request.principal.role
        let roleSettings = catalog.roleSettings.isEmpty ? [] : catalog.roleSettings[role] ?? []
        let main = RoundTrip.Step(
            Statement(
                text: text(Key(shape: shape, roleSettings: roleSettings)),
                binds: binds(shape, roleSettings, request)),
            keepsRows: false)
        let isolation = shape.isolation ?? (catalog.roleIsolation.isEmpty ? nil : catalog.roleIsolation[role])
        guard isFirst, let isolation, let level = isolationText(isolation) else { return [main] }
        return [RoundTrip.Step(Statement(text: level), keepsRows: false), main]
    }

    // MARK: - Non public

    private func binds(
        _ shape: OpeningShape, _ roleSettings: [Function.Setting], _ request: DataRequest
    ) -> Binds {
        let claims = request.principal.claims
        var binds = Binds(values: 8, bytes: claims.count + 64)
        for setting in shape.constants { binds.append(text: setting.value.utf8) }
        for setting in roleSettings { binds.append(text: setting.value.utf8) }
        binds.append(text: request.principal.role.utf8)
        binds.append(text: claims)
        let context = request.context
        if shape.usesMethod { binds.append(text: context.method.utf8) }
        if shape.usesPath { binds.append(text: context.path.utf8) }
        if shape.usesHeaders { binds.append(text: context.headers()) }
        if shape.usesCookies { binds.append(text: context.cookies()) }
        return binds
    }

    private func text(_ key: Key) -> StatementText {
        texts.withLock { texts in
            if let known = texts[key] { return known }
            if texts.count >= Self.limit { texts.removeAll() }
            let made = StatementText(Self.sql(key).text)
            texts[key] = made
            return made
        }
    }

    private static func sql(_ key: Key) -> SQL {
        var items: [SQL] = []
        func set(_ name: String) {
            items.append("set_config(\(literal: name), \(SQL.slot(items.count)), true)")
        }
        for setting in key.shape.constants { set(setting.name) }
        for setting in key.roleSettings { set(setting.name) }
        set("role")
        set("request.jwt.claims")
        if key.shape.usesMethod { set("request.method") }
        if key.shape.usesPath { set("request.path") }
        if key.shape.usesHeaders { set("request.headers") }
        if key.shape.usesCookies { set("request.cookies") }
        if key.shape.isReadOnly { items.append("set_config('transaction_read_only', 'on', true)") }
        return "select " + items.joined(separator: ", ")
    }

    /// nil for what is no isolation level (PostgreSQL, "Transaction Isolation").
    private func isolationText(_ level: String) -> StatementText? {
        let levels: [String: SQL] = [
            "serializable": "set transaction isolation level serializable",
            "repeatable read": "set transaction isolation level repeatable read",
            "read committed": "set transaction isolation level read committed",
        ]
        guard let sql = levels[level.lowercased()] else { return nil }
        return isolationTexts.withLock { texts in
            if let known = texts[level] { return known }
            let made = StatementText(sql.text)
            texts[level] = made
            return made
        }
    }
}
