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
    /// False for a part of a transaction, whose isolation is fixed when it comes.
    var choosesIsolation = true
    var usesMethod = false
    var usesPath = false
    var usesHeaders = false
    var usesCookies = false
}

/// Makes the statements that run before a request's own, in the same transaction: the caller's role, claims and
/// settings, all by one `select set_config(…, true), …`.
///
/// One for all requests with the same settings under one catalog, so that what it made for a principal is found by
/// its identity.
final class TransactionOpening: Sendable {
    private let shape: OpeningShape
    private let snapshot: CatalogSnapshot
    private let texts: StatementTexts
    /// Whether nothing of a single request goes into the settings.
    let isFixed: Bool

    init(_ shape: OpeningShape, in snapshot: CatalogSnapshot, texts: StatementTexts) {
        self.shape = shape
        self.snapshot = snapshot
        self.texts = texts
        isFixed = !(shape.usesMethod || shape.usesPath || shape.usesHeaders || shape.usesCookies)
    }

    /// What a request's transaction starts with: the same object for all requests of a principal, unless something
    /// of the single request goes into the settings.
    func opening(for request: DataRequest) -> Opening {
        guard isFixed else { return Opening(steps: steps(request)) }
        return request.principal.opening(by: self) { Opening(steps: steps(request)) }
    }

    /// Whether no transaction of this role with this opening needs an isolation level of its own.
    func hasOrdinaryIsolation(for role: String) -> Bool {
        isolation(for: role) == nil
    }

    /// What it sets for whatever role, besides role, claims and `request.*`.
    var constantNames: Set<String> { Set(shape.constants.map(\.name)) }

    // MARK: - Non public

    private func isolation(for role: String) -> String? {
        guard shape.choosesIsolation else { return nil }
        let roles = snapshot.catalog.roleIsolation
        return shape.isolation ?? (roles.isEmpty ? nil : roles[role])
    }

    private func steps(_ request: DataRequest) -> [RoundTrip.Step] {
        let role = request.principal.role
        let catalog = snapshot.catalog
        let roleSettings = catalog.roleSettings.isEmpty ? [] : catalog.roleSettings[role] ?? []
        let main = RoundTrip.Step(
            Statement(text: texts.text(sql(roleSettings).text), binds: binds(roleSettings, request)),
            keepsRows: false)
        guard let isolation = isolation(for: role), let level = isolationText(isolation) else {
            return [main]
        }
        return [RoundTrip.Step(Statement(text: level), keepsRows: false), main]
    }

    private func binds(_ roleSettings: [Function.Setting], _ request: DataRequest) -> Binds {
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

    private func sql(_ roleSettings: [Function.Setting]) -> SQL {
        var items: [SQL] = []
        func set(_ name: String) {
            items.append("set_config(\(literal: name), \(SQL.slot(items.count)), true)")
        }
        for setting in shape.constants { set(setting.name) }
        for setting in roleSettings { set(setting.name) }
        set("role")
        set("request.jwt.claims")
        if shape.usesMethod { set("request.method") }
        if shape.usesPath { set("request.path") }
        if shape.usesHeaders { set("request.headers") }
        if shape.usesCookies { set("request.cookies") }
        if shape.isReadOnly { items.append("set_config('transaction_read_only', 'on', true)") }
        return "select " + items.joined(separator: ", ")
    }

    /// nil for what is no isolation level (PostgreSQL, "Transaction Isolation").
    private func isolationText(_ level: String) -> StatementText? {
        let levels: [String: SQL] = [
            "serializable": "set transaction isolation level serializable",
            "repeatable read": "set transaction isolation level repeatable read",
            "read committed": "set transaction isolation level read committed",
        ]
        return levels[level.lowercased()].map { texts.text($0.text) }
    }
}

/// Keeps one ``TransactionOpening`` for each set of settings, for one catalog.
final class TransactionOpenings: Sendable {
    private struct State {
        var catalogVersion: UInt64 = 0
        var openings: [OpeningShape: TransactionOpening] = [:]
    }

    private let state = Mutex(State())
    private let texts = StatementTexts(limit: 4_096)
    /// More shapes than any schema has; a bound all the same.
    private static let limit = 4_096

    func opening(_ shape: OpeningShape, in snapshot: CatalogSnapshot) -> TransactionOpening {
        state.withLock { state in
            if state.catalogVersion != snapshot.version || state.openings.count >= Self.limit {
                state = State(catalogVersion: snapshot.version)
            }
            if let known = state.openings[shape] { return known }
            let made = TransactionOpening(shape, in: snapshot, texts: texts)
            state.openings[shape] = made
            return made
        }
    }
}
