import ApusSQL
import ApusTestSupport
import Logging

@testable import ApusPostgres

/// A database of their own for the driver's tests that leave the cluster in peace; its conninfo.
enum DriverDatabase {
    static let shared = Task {
        let cluster = try await ThrowawayCluster.shared.value
        try await withDriver(on: cluster.conninfo()) { try await $0.query("create database driver") }
        return cluster.conninfo(database: "driver")
    }
}

/// Runs `body` with a driver on that database, and stops the driver.
@discardableResult
func withDriver<R: Sendable>(
    _ change: (inout DatabaseConfiguration) -> Void = { _ in }, logger: Logger = quiet,
    _ body: (Database) async throws -> R
) async throws -> R {
    try await withDriver(on: DriverDatabase.shared.value, change, logger: logger, body)
}

/// The same on another cluster, or through a proxy.
@discardableResult
func withDriver<R: Sendable>(
    on conninfo: String, _ change: (inout DatabaseConfiguration) -> Void = { _ in }, logger: Logger = quiet,
    _ body: (Database) async throws -> R
) async throws -> R {
    var configuration = DatabaseConfiguration(connectionString: conninfo)
    configuration.connections = 4
    change(&configuration)
    let database = Database(configuration, logger: logger)
    do {
        let result = try await body(database)
        await database.shutdown()
        return result
    } catch {
        await database.shutdown()
        throw error
    }
}

let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

extension RoundTrip {
    /// One statement that is kept prepared.
    static func one(_ text: StatementText, _ values: [SQLValue] = [], isReadOnly: Bool = true) -> RoundTrip {
        var binds = Binds()
        for value in values { binds.append(value) }
        return RoundTrip(steps: [.init(Statement(text: text, binds: binds))], isReadOnly: isReadOnly)
    }
}

extension Database {
    /// The fault of a trip that must fail; nil when it did not.
    func faultOf(_ trip: RoundTrip, timeout: Duration? = nil) async -> PostgresFault? {
        do throws(PostgresFault) {
            _ = try await execute(trip, timeout: timeout)
            return nil
        } catch {
            return error
        }
    }

    func faultOf(_ sql: SQL, timeout: Duration? = nil) async -> PostgresFault? {
        await faultOf(RoundTrip(steps: [.init(Statement(sql))]), timeout: timeout)
    }

    /// Backends of other connections whose running or last query holds `mark`.
    func backends(_ state: String, marked mark: String) async throws -> Int {
        let sql: SQL = """
            select count(*) from pg_stat_activity where state = \(bind: state) \
            and query like '%' || \(bind: mark) || '%' and pid <> pg_backend_pid()
            """
        return try await query(sql).int(0, 0) ?? 0
    }
}
