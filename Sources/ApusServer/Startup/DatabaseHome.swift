import ApusFaults
import ApusPostgres
import Logging
import ServiceLifecycle

/// Where the database is: one of the user's, or a private one that lives and ends with this process.
struct DatabaseHome: Sendable {
    /// Connection string of requests: the least privileged role.
    let serviceURL: String
    /// Connection string of migrations; nil when nobody gave a privileged one.
    let adminURL: String?
    /// Directory of the private database; nil for a database of the user's.
    let dataDirectory: String?
    private let embedded: EmbeddedPostgres?

    /// Starts the private database when none is named.
    ///
    /// - Throws: a coded fault when it cannot be started.
    static func open(_ settings: Settings, logger: Logger) async throws -> DatabaseHome {
        if let url = settings.string("db-uri") {
            return DatabaseHome(
                serviceURL: url, adminURL: settings.string("db-admin-uri"), dataDirectory: nil, embedded: nil)
        }
        let directory = settings.string("data-dir") ?? ".apus"
        let embedded = EmbeddedPostgres(
            dataDirectory: directory, programs: settings.string("postgres-bin"), logger: logger)
        do {
            let connection = try await embedded.start()
            return DatabaseHome(
                serviceURL: connection.conninfo(user: "authenticator"), adminURL: connection.conninfo(),
                dataDirectory: directory, embedded: embedded)
        } catch {
            throw error.fault
        }
    }

    /// Keeps the private database running until shutdown.
    func serve() async {
        guard let embedded else { return await untilShutdown() }
        await cancelWhenGracefulShutdown { await embedded.supervise() }
    }

    /// Stops the private database.
    func close() async { try? await embedded?.stop() }
}
