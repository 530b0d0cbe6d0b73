import ApusAuth
import ApusPostgres
import Logging

extension Settings {
    /// Runs `body` on one connection of the database's owner, for commands beside a running server.
    ///
    /// - Throws: what `body` throws; what the database refuses, worded.
    func withOwnerDatabase<R: Sendable>(
        _ body: @Sendable (Database, Logger) async throws -> R
    ) async throws -> R {
        var logger = Logger(label: "apus")
        logger.logLevel = .warning
        var configuration = DatabaseConfiguration(connectionString: try DatabaseAddress.owner(self))
        configuration.connections = 1
        let database = Database(configuration, logger: logger)
        let result: Result<R, any Error>
        do {
            result = .success(try await body(database, logger))
        } catch let fault as PostgresFault {
            result = .failure(fault.fault)
        } catch {
            result = .failure(error)
        }
        await database.shutdown()
        return try result.get()
    }
}
