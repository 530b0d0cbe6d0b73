import ApusAuth
package import ApusFaults
import ApusMigrations
import ApusPostgres

/// `apus api-keys`: the keys of apps and backends. Nodes follow by themselves.
package struct APIKeys: Sendable {
    private let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// Makes a key.
    ///
    /// - Parameter lifetime: seconds; nil: until it is revoked.
    /// - Returns: the key, which cannot be shown again.
    package func create(_ name: String, role: String, lifetime: Int64?) async throws -> String {
        let isPublishable = role == settings.string("db-anon-role")
        do {
            return try await settings.withOwnerDatabase { database, _ in
                // Beside a server that was not started yet, or is an older one.
                let steps = SystemStep.all(catalogEventTrigger: CatalogStore.eventTriggerSQL)
                do {
                    try await SystemMigrator(database: database, steps: steps).run()
                } catch let fault as MigrationFault {
                    throw fault.fault
                }
                return try await APIKeyRegister(AuthDatabase(database)).create(
                    name, role: role, isPublishable: isPublishable, lifetime: lifetime)
            }
        } catch let refusal as APIKeyRegister.Refusal {
            throw Self.fault(refusal, name, role)
        }
    }

    /// A line for each key.
    package func list() async throws -> [String] {
        let entries = try await settings.withOwnerDatabase { database, _ in
            try await APIKeyRegister(AuthDatabase(database)).entries()
        }
        let table = entries.map { entry in
            [
                entry.name, entry.role, "created \(Self.minute(entry.created))",
                entry.lastUsed.map { "last used \(Self.minute($0))" } ?? "never used",
                entry.expires.map { "expires \(Self.minute($0))" } ?? "",
            ]
        }
        return Self.columns(table)
    }

    /// Voids a key everywhere.
    ///
    /// - Throws: when there is none of this name.
    package func revoke(_ name: String) async throws {
        let isRevoked = try await settings.withOwnerDatabase { database, _ in
            try await APIKeyRegister(AuthDatabase(database)).revoke(name)
        }
        guard isRevoked else {
            throw Fault(
                code: "APUS015", kind: .notFound, message: "There is no API key '\(name)'.",
                hint: "apus api-keys list shows them.")
        }
    }

    // MARK: - Non public

    private static func fault(_ refusal: APIKeyRegister.Refusal, _ name: String, _ role: String) -> Fault {
        switch refusal {
        case .nameTaken:
            Fault(
                code: "APUS015", kind: .conflict, message: "There is an API key '\(name)' already.",
                hint: "Take another name, or revoke that one first.")
        case .noSuchRole:
            Fault(
                code: "APUS015", kind: .invalid, message: "The database has no role '\(role)'.",
                hint: "service_role and anon are always there.")
        case .nameUnusable:
            Fault(
                code: "APUS015", kind: .invalid, message: "This cannot be the name of an API key.",
                hint: "1 to 64 characters, without control characters.")
        }
    }

    /// `2026-11-29 01:02` of RFC 3339.
    private static func minute(_ time: String) -> String {
        time.prefix(16).replacing("T", with: " ") + " UTC"
    }

    private static func columns(_ table: [[String]]) -> [String] {
        let count = table.first?.count ?? 0
        let widths = (0..<count).map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
