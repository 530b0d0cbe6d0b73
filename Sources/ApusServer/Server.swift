import ApusFaults
import ApusHTTP
import ApusMigrations
import ApusPostgres
import ApusTelemetry
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// The whole program: reads the configuration once, wires the rooms together, runs until it is told to stop.
///
/// One service group holds what runs; it stops in the reverse order of its list: first the HTTP server drains, then
/// the catalog, the database driver and, last, a private PostgreSQL.
package struct Server: Sendable {
    private let settings: Settings
    private let reread: @Sendable () throws -> Settings

    /// - Parameter reread: reads the configuration again, for SIGHUP; when it throws, the old one stays.
    package init(settings: Settings, reread: @escaping @Sendable () throws -> Settings) {
        self.settings = settings
        self.reread = reread
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// - Throws: a coded fault for everything that keeps it from starting.
    package func run() async throws {
        let begun = ContinuousClock.now
        let telemetry = Telemetry.start(settings)
        let logger = telemetry.logger
        let home = try await DatabaseHome.open(settings, logger: logger)
        do {
            try await Preparation(settings: settings, home: home, logger: logger).run()
        } catch {
            await home.close()
            throw error
        }
        let keys = try DevelopmentKeys.read(settings, home: home)
        let database = Database(settings.database(home.serviceURL), logger: logger)
        let gateway = try Gateway(settings: settings, keys: keys, database: database, telemetry: telemetry)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let http = HTTPServer(
            configuration: try settings.http(), group: group, logger: logger,
            respond: { gateway.respond(to: $0) })
        telemetry.watch(database: database, connections: http.gate, gateway: gateway)
        // Nobody is let in before the database was read, unless it cannot be reached: then health says so.
        let catalog = Task { await gateway.serve() }
        await gateway.ready(within: .seconds(5))
        let listener: HTTPServer.Listener
        do {
            listener = try await http.listen()
        } catch {
            catalog.cancel()
            await home.close()
            throw StartFault.cannotListen(try settings.http(), error)
        }
        let banner = Banner(settings: settings, keys: keys, port: listener.port, home: home)
        let drain = TimeAmount.seconds(Int64(settings.integer("server-drain-timeout") ?? 25))
        try await ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: Running("private PostgreSQL") { await home.serve() }),
                    .init(service: Running("database driver") { await serve(database) }),
                    .init(
                        service: Running("catalog") {
                            await untilShutdown()
                            catalog.cancel()
                            await catalog.value
                        }),
                    .init(service: Running("reload") { await reload(gateway, logger) }),
                    .init(
                        service: Running("http") {
                            await gateway.ready(within: nil)
                            banner.show(after: .now - begun)
                            logger.notice(
                                "ready",
                                metadata: [
                                    "port": "\(listener.port)", "version": "\(BuildInformation.version)",
                                ])
                            await untilShutdown()
                            gateway.beginDraining()
                            await listener.drain(within: drain)
                        }),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: telemetry.quietLogger)
        ).run()
        await database.shutdown()
        await home.close()
        try? await group.shutdownGracefully()
    }

    // MARK: - Non public

    /// PostgreSQL shares the machine in the smallest set-up, so event loops take half of the processors.
    private var threads: Int { settings.integer("server-threads") ?? max(1, System.coreCount / 2) }

    private func serve(_ database: Database) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await database.run() }
            await untilShutdown()
            await database.shutdown()
            group.cancelAll()
        }
    }

    private func reload(_ gateway: Gateway, _ logger: Logger) async {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                logger.notice("SIGHUP: reading configuration and catalog again")
                do {
                    try gateway.reconfigure(try reread())
                } catch {
                    logger.error(
                        "the new configuration does not hold; the old one stays",
                        metadata: ["error": "\((error as? SettingsFault)?.fault.message ?? "\(error)")"])
                }
            }
        }
    }
}

/// One part of the program in the service group.
private struct Running: Service, CustomStringConvertible {
    let description: String
    private let body: @Sendable () async -> Void

    init(_ description: String, _ body: @escaping @Sendable () async -> Void) {
        self.description = description
        self.body = body
    }

    func run() async throws { await body() }
}

/// Waits until the service group shuts down.
func untilShutdown() async { try? await gracefulShutdown() }

/// What keeps a server from starting.
enum StartFault {
    static func cannotListen(_ configuration: HTTPServer.Configuration, _ error: any Error) -> Fault {
        Fault(
            code: "APUS010", kind: .unavailable,
            message: "Cannot listen on \(configuration.host), port \(configuration.port): \(error)",
            hint: "Is another server running there? --server-port chooses another port, 0 a free one.")
    }
}
