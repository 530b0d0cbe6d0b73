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

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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
        // A reader of our output that goes away is the error of one write, not the end of the server.
        signal(SIGPIPE, SIG_IGN)
        let telemetry = Telemetry.start(settings)
        if settings.string("server-scheduling") == "batch" { Scheduling.useBatches(logger: telemetry.logger) }
        let home = try await DatabaseHome.open(settings, logger: telemetry.logger)
        do {
            try await serve(home, telemetry, since: begun)
        } catch {
            await home.close()
            throw error
        }
        await home.close()
    }

    // MARK: - Stages

    private func serve(
        _ home: DatabaseHome, _ telemetry: Telemetry, since begun: ContinuousClock.Instant
    ) async throws {
        try await Preparation(settings: settings, home: home, logger: telemetry.logger).run()
        let keys = try DevelopmentKeys.read(settings, home: home)
        let configuration = try settings.http()
        var pool = settings.database(home.serviceURL, sharesMachine: home.dataDirectory != nil)
        pool.reactors = threads
        let database = Database(pool, logger: telemetry.logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let realtime = try Realtime.make(
            settings, connectionString: home.adminURL ?? home.serviceURL, group: group,
            logger: telemetry.logger)
        realtime.watch(telemetry.metrics)
        let gateway = try Gateway(
            settings: settings, keys: keys, database: database, telemetry: telemetry, realtime: realtime)
        let http = HTTPServer(
            configuration: configuration, group: group, logger: telemetry.logger,
            respond: { gateway.respond(to: $0) })
        telemetry.watch(database: database, connections: http.gate, gateway: gateway)
        let parts = Parts(
            home: home, telemetry: telemetry, database: database, realtime: realtime, gateway: gateway,
            http: http,
            announce: { port in
                Banner(settings: settings, keys: keys, port: port, home: home).show(after: .now - begun)
            })
        // What listens holds promises of the event loops; it must be gone before they are.
        let result: Result<Void, any Error>
        do {
            result = .success(try await serve(parts))
        } catch {
            result = .failure(error)
        }
        await database.shutdown()
        try? await group.shutdownGracefully()
        try result.get()
    }

    /// Listens and runs all services, until a signal.
    private func serve(_ parts: Parts) async throws {
        // Nobody is let in before the database was read, unless it cannot be reached: then health says so.
        let catalog = Task { await parts.gateway.serve() }
        defer { catalog.cancel() }
        await parts.gateway.ready(within: .seconds(5))
        let listener: HTTPServer.Listener
        do {
            listener = try await parts.http.listen()
        } catch {
            throw StartFault.cannotListen(try settings.http(), error)
        }
        // They stop in reverse order, one after the other.
        let services: [Running] = [
            Running("private PostgreSQL") { await parts.home.serve() },
            Running("database driver") { await serve(parts.database) },
            Running("change feed") { await cancelWhenGracefulShutdown { await parts.realtime.run() } },
            Running("catalog") {
                await untilShutdown()
                catalog.cancel()
                await catalog.value
            },
            Running("reload") { await reload(parts.gateway, parts.telemetry.logger) },
            Running("http") { await serve(listener, parts) },
        ]
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: parts.telemetry.quietLogger))
        try await group.run()
    }

    private func serve(_ listener: HTTPServer.Listener, _ parts: Parts) async {
        await cancelWhenGracefulShutdown {
            await parts.gateway.ready(within: nil)
            guard !Task.isCancelled else { return }
            parts.announce(listener.port)
            parts.telemetry.logger.notice(
                "ready",
                metadata: ["port": "\(listener.port)", "version": "\(BuildInformation.version)"])
        }
        await untilShutdown()
        parts.gateway.beginDraining()
        await listener.drain(within: .seconds(Int64(settings.integer("server-drain-timeout") ?? 25)))
    }

    // MARK: - Non public

    /// PostgreSQL shares the machine in the smallest set-up, so event loops take half of the processors; but two where
    /// there are two, because one waits for the other's system calls.
    private var threads: Int {
        settings.integer("server-threads") ?? max(min(2, System.coreCount), System.coreCount / 2)
    }

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

/// What the program consists of, wired.
private struct Parts: Sendable {
    let home: DatabaseHome
    let telemetry: Telemetry
    let database: Database
    let realtime: Realtime
    let gateway: Gateway
    let http: HTTPServer
    /// Tells people that it is up, and on which port.
    let announce: @Sendable (_ port: Int) -> Void
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
