import ApusPostgres
import ApusSQL
import ApusTestSupport
import Logging

@testable import ApusMigrations

let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Runs `body` with a driver for `conninfo`, and stops the driver.
func withDatabase<R: Sendable>(at conninfo: String, _ body: (Database) async throws -> R) async throws -> R {
    var configuration = DatabaseConfiguration(connectionString: conninfo)
    configuration.connections = 4
    let database = Database(configuration, logger: quiet)
    do {
        let result = try await body(database)
        await database.shutdown()
        return result
    } catch {
        await database.shutdown()
        throw error
    }
}

/// Makes a database for one test.
func createDatabase(
    _ name: String, on cluster: ThrowawayCluster, owner: String = "postgres"
) async throws {
    try await withDatabase(at: cluster.conninfo()) { database in
        _ = try await database.query("create database \(ident: name) owner \(ident: owner)")
    }
}

/// Runs `body` with an empty database of the shared cluster, as its superuser.
func withEmptyDatabase<R: Sendable>(
    _ name: String, _ body: (Database) async throws -> R
) async throws -> R {
    let cluster = try await ThrowawayCluster.shared.value
    try await createDatabase(name, on: cluster)
    return try await withDatabase(at: cluster.conninfo(database: name), body)
}

extension Database {
    /// The first value of the first row.
    func value(_ sql: SQL) async throws -> String? { try await query(sql).string(0, 0) }

    /// Runs a script on a session of its own.
    func script(_ text: String) async throws {
        try await withSession { try await $0.simpleQuery(text) }
    }
}

/// The fault that `body` ends with, or nil.
func fault(of body: () async throws(MigrationFault) -> Void) async -> MigrationFault? {
    do throws(MigrationFault) {
        try await body()
        return nil
    } catch {
        return error
    }
}
