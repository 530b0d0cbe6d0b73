import ApusCatalog
import ApusTestSupport
import Synchronization

@testable import ApusPostgres

/// Runs `body` on a database of its own that `script` has filled.
func withDatabase<R: Sendable>(
    _ script: String, _ body: (Database) async throws -> R
) async throws -> R {
    let cluster = try await ThrowawayCluster.shared.value
    let name = "introspection_\(lastDatabase.add(1, ordering: .relaxed).newValue)"
    let maintenance = Database(conninfo: cluster.conninfo(database: "postgres"))
    try await maintenance.script("create database \(name)")
    let database = Database(conninfo: cluster.conninfo(database: name))
    do {
        try await database.script(script)
        let result = try await body(database)
        await database.shutdown()
        try await maintenance.script("drop database \(name) with (force)")
        await maintenance.shutdown()
        return result
    } catch {
        await database.shutdown()
        await maintenance.shutdown()
        throw error
    }
}

/// The catalog of a database that `script` has filled.
func readCatalog(_ script: String, settings: CatalogSettings = CatalogSettings()) async throws -> Catalog {
    try await withDatabase(script) { try await CatalogReader.read(from: $0, settings: settings) }
}

extension Database {
    fileprivate convenience init(conninfo: String) {
        var configuration = DatabaseConfiguration(connectionString: conninfo)
        configuration.connections = 2
        self.init(configuration, logger: quiet)
    }

    /// The same database for another role.
    func connected(as role: String) -> Database {
        // In a conninfo a later setting of the same name wins.
        Database(conninfo: configuration.connectionString + " user=\(role)")
    }

    func script(_ script: String) async throws {
        try await withSession { try await $0.simpleQuery(script) }
    }
}

extension QualifiedName {
    static func `public`(_ name: String) -> QualifiedName { QualifiedName("public", name) }
}

private let lastDatabase = Atomic(0)
