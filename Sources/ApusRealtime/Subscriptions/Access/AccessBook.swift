package import ApusFaults
package import ApusPostgres
import Synchronization

/// Keeps what was read of tables and roles until the schema changes.
package actor AccessBook {
    private struct RoleKey: Hashable {
        var table: ObjectIdentifier
        var role: String
    }

    private let reader: AccessReader
    private var byName: [String: TableAccess] = [:]
    private var byOID: [UInt32: TableAccess] = [:]
    private var roles: [RoleKey: RoleAccess] = [:]
    private let generation = Atomic<UInt64>(0)

    package init(database: Database) { reader = AccessReader(database: database) }

    /// Forgets everything; to be called when the schema, a policy or a privilege may have changed.
    package func reset() {
        generation.add(1, ordering: .relaxed)
        byName = [:]
        byOID = [:]
        roles = [:]
    }

    /// Grows with each ``reset()``.
    nonisolated package var version: UInt64 { generation.load(ordering: .relaxed) }

    /// - Throws: ``SubscriptionFault/unknownTable(schema:name:)``, or what the database says.
    package func table(schema: String, name: String) async throws(Fault) -> TableAccess {
        let key = schema + "\0" + name
        if let known = byName[key] { return known }
        let began = version
        let found: TableAccess?
        do {
            found = try await reader.table(schema: schema, name: name)
        } catch {
            throw error.fault(isAnonymous: false)
        }
        guard let found else { throw SubscriptionFault.unknownTable(schema: schema, name: name) }
        if began == version { keep(found) }
        return byName[key] ?? found
    }

    /// - Throws: ``SubscriptionFault/unknownTable(schema:name:)``, or what the database says.
    package func table(oid: UInt32) async throws(Fault) -> TableAccess {
        if let known = byOID[oid] { return known }
        let began = version
        let found: TableAccess?
        do {
            found = try await reader.table(oid: oid)
        } catch {
            throw error.fault(isAnonymous: false)
        }
        guard let found else { throw SubscriptionFault.unknownTable(schema: "", name: "\(oid)") }
        if began == version { keep(found) }
        return byOID[oid] ?? found
    }

    /// - Throws: ``SubscriptionFault/unknownRole(_:)``, or what the database says.
    package func access(of role: String, to table: TableAccess) async throws(Fault) -> RoleAccess {
        let key = RoleKey(table: ObjectIdentifier(table), role: role)
        if let known = roles[key] { return known }
        let began = version
        let found: RoleAccess?
        do {
            found = try await reader.role(role, of: table)
        } catch {
            throw error.fault(isAnonymous: false)
        }
        guard let found else { throw SubscriptionFault.unknownRole(role) }
        // A key by identity must not outlive its table.
        if began == version, byOID[table.oid] === table { roles[key] = found }
        return found
    }

    /// Forgets everything when a table's name means another one by now: it was dropped and made anew, and the news of
    /// that are still on their way. Whether that is so.
    package func resetIfReplaced(_ table: TableAccess) async -> Bool {
        guard let found = try? await reader.table(schema: table.schema, name: table.name),
            found.oid != table.oid
        else { return false }
        reset()
        return true
    }

    private func keep(_ table: TableAccess) {
        guard byOID[table.oid] == nil else { return }
        byOID[table.oid] = table
        byName[table.schema + "\0" + table.name] = table
    }
}

/// Why somebody cannot follow a table.
package enum SubscriptionFault {
    package static func unknownTable(schema: String, name: String) -> Fault {
        Fault(
            code: "APUS520", kind: .notFound, message: "There is no table '\(schema).\(name)' to follow.",
            hint: "Check the name and the schema.")
    }

    package static func unknownRole(_ role: String) -> Fault {
        Fault(code: "APUS521", kind: .forbidden, message: "The role '\(role)' does not exist.")
    }

    package static func mayNotRead(schema: String, name: String) -> Fault {
        Fault(
            code: "42501", kind: .forbidden, message: "permission denied for table \(name)",
            hint: "Grant select on \(schema).\(name) to the role.")
    }

    package static func unknownColumn(_ column: String, table: String) -> Fault {
        Fault(
            code: "APUS522", kind: .invalid, message: "The table '\(table)' has no column '\(column)'.",
            hint: "Filters name columns of the table that is followed.")
    }
}
