import ApusAuth
import ApusCatalog
import ApusDataAPI
import ApusEdge
import ApusFaults
import ApusHTTP
import ApusOpenAPI
import ApusPlanner
import ApusPostgres
import ApusREST
import ApusRealtime
import ApusTokens
import Logging
import Synchronization

/// What serves requests under one configuration.
final class Generation: Sendable {
    let catalogs: CatalogStore
    let data: DataAPI
    let verifier: TokenVerifier
    let rest: RESTEndpoint
    /// nil when `auth-enabled` is off, or nothing is there to encrypt with.
    private let auth: Authenticating?
    private let inbox: InboxEndpoint?
    /// nil without `web-root`.
    private let web: WebEndpoint?
    private let prefix: String
    private let feed: ChangeFeed
    let live: LiveReads
    private let openTables: OpenTableWatch?
    private let reader = Mutex<Task<Void, Never>?>(nil)
    private let builtRoutes = Mutex<Routes?>(nil)

    /// - Throws: when a setting cannot hold together with the others (a secret that is none, say).
    init(
        _ settings: Settings, keys: DevelopmentKeys, database: Database, telemetry: Telemetry,
        trust: TokenTrust, messaging: Messaging?, realtime: Realtime
    ) throws {
        let catalogs = CatalogStore(database: database, settings: settings.catalog, logger: telemetry.logger)
        self.catalogs = catalogs
        feed = realtime.feed
        openTables = OpenTableWatch(settings, database: database, logger: telemetry.logger)
        data = DataAPI(database: database, catalog: { catalogs.snapshot }, settings: try settings.dataAPI())
        prefix = settings.restPrefix
        let verifier: TokenVerifier
        do {
            // Without authentication no session is ours to end.
            verifier = try TokenVerifier(
                settings: try settings.tokens(fallbackSecret: keys.fallbackSecret),
                trust: settings.boolean("auth-enabled") ? trust : nil)
        } catch let fault as TokenSettingsFault {
            throw Fault(
                code: "APUS002", kind: .invalid,
                message: "The setting '\(fault.setting)' does not hold: \(fault.reason)")
        }
        self.verifier = verifier
        let cors = CORS(allowedOrigins: settings.list("server-cors-allowed-origins"))
        auth = try Authentication(settings, keys: keys, logger: telemetry.logger)?
            .make(
                database: database, verifier: verifier, trust: trust, cors: cors,
                messaging: messaging)
        inbox = messaging?.inbox
        web = try settings.web()
        let slow = settings.integer("log-slow-request").flatMap { $0 > 0 ? Duration.milliseconds($0) : nil }
        live = LiveReads(
            feed: realtime.feed, database: database, verifier: verifier, settings: settings.live)
        rest = RESTEndpoint(
            data: data, reader: RequestReader(settings: settings.rest), verifier: verifier,
            cors: cors,
            descriptions: settings.descriptions,
            settings: .init(
                prefix: prefix, showsDetails: settings.string("client-error-verbosity") != "minimal",
                tellsTiming: settings.boolean("server-timing-enabled"),
                traceHeader: settings.string("server-trace-header"),
                idempotencyLifetime: settings.integer("idempotency-lifetime") ?? 86_400,
                batchLimit: settings.integer("batch-max-requests") ?? 100,
                batchBytes: settings.integer("batch-max-bytes") ?? 16 << 20),
            observe: RequestObserver(
                logger: telemetry.logger, slow: slow,
                slowRequests: SlowRequests(logger: telemetry.logger) { [data] compiled, request in
                    try? await data.estimate(compiled, request)
                }), live: live)
    }

    /// Keeps the catalog up to date until stopped.
    func run() async {
        let task = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.catalogs.run() }
                group.addTask { await self.followCatalog() }
                group.addTask { await self.live.run() }
                group.addTask { await self.openTables?.run(self.catalogs) }
                if let auth = self.auth { group.addTask { await auth.service.run() } }
            }
        }
        reader.withLock { $0 = task }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Whoever derived something from the schema hears that it was read again: privileges and policies may have
    /// changed although relations have not.
    private func followCatalog() async {
        for await event in catalogs.events() {
            guard case .loaded = event else { continue }
            feed.catalogChanged()
            await live.schemaChanged()
        }
    }

    func stop() { reader.withLock { $0 }?.cancel() }

    /// Returns when the catalog was read once, and authentication tried to read what it needs.
    func loaded() async {
        let events = catalogs.events()
        if catalogs.current == nil {
            for await event in events {
                if case .loaded = event { break }
            }
        }
        await auth?.service.started()
    }

    /// The routes, made once.
    func routes(gateway: Gateway) -> Routes {
        builtRoutes.withLock { built in
            if let built { return built }
            var routes = Routes()
            let health = Health(readiness: { [weak gateway] in
                gateway?.readiness ?? .notReady("The server is stopping.")
            })
            let rest = rest
            auth?.enter(&routes)
            if let inbox { routes.at("/dev/inbox") { inbox.respond($0) } }
            routes.at("/health/live") { health.live($0) }
            routes.at("/health/ready") { health.ready($0) }
            let feedHealth = FeedHealth(feed: gateway.realtime.feed)
            routes.at("/health/feed") { feedHealth.respond($0) }
            routes.at("/metrics") { [weak gateway] in gateway?.metrics($0) }
            if let channels = gateway.channels {
                routes.under(channels.prefix) { channels.endpoint.respond($0) }
            }
            let sockets = gateway.liveSockets
            routes.at(sockets.settings.prefix) { sockets.respond($0) }
            routes.under(prefix) { rest.respond($0) }
            if let web { routes.under("") { web.respond($0) } }
            routes.favour(prefix)
            built = routes
            return routes
        }
    }
}

extension Settings {
    /// `rest-prefix` without a slash at its end; empty for the root.
    var restPrefix: String {
        var prefix = string("rest-prefix") ?? ""
        while prefix.hasSuffix("/") { prefix.removeLast() }
        return prefix
    }

    /// What is served besides the API; nil without `web-root`.
    ///
    /// - Throws: when its settings do not hold.
    func web() throws(Fault) -> WebEndpoint? {
        guard let root = string("web-root") else { return nil }
        guard !restPrefix.isEmpty else {
            throw Fault(
                code: "APUS002", kind: .invalid,
                message: "The setting 'web-root' does not hold: rest-prefix leaves no path to it.",
                hint: "Give the data API a path of its own: rest-prefix=/rest/v1.")
        }
        return try WebEndpoint(
            root: root, largest: integer("web-max-file") ?? 16 << 20, policy: string("web-csp") ?? "")
    }

    var live: LiveReads.Settings {
        LiveReads.Settings(
            cacheBytes: boolean("cache-enabled") ? integer("cache-size") ?? 64 << 20 : 0,
            streamLimit: integer("live-max-streams") ?? 10_000, longestWait: integer("live-max-wait") ?? 60,
            resultBytes: integer("live-max-result") ?? 4 << 20, queueBytes: integer("live-queue") ?? 4 << 20,
            searchPath: searchPath, hasPreRequest: string("db-pre-request") != nil)
    }

    var liveSockets: LiveSocketSettings {
        var prefix = string("live-prefix") ?? "/live/v1"
        while prefix.hasSuffix("/") { prefix.removeLast() }
        let message = integer("live-max-message") ?? 65_536
        return LiveSocketSettings(
            prefix: prefix, followsPerConnection: integer("live-max-follows") ?? 100,
            messagesPerSecond: integer("live-max-messages") ?? 200,
            webSocket: WebSocketLimits(
                frameBytes: message, messageBytes: message, queueBytes: integer("live-queue") ?? 4 << 20))
    }

    /// - Throws: never for settings that passed their check.
    func dataAPI() throws -> DataAPISettings {
        let preRequest = string("db-pre-request").map { name in
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            return parts.count == 2 ? QualifiedName(parts[0], parts[1]) : QualifiedName("", name)
        }
        return DataAPISettings(
            planner: planner, extraSearchPath: list("db-extra-search-path"), preRequest: preRequest,
            transactionEnd: string("db-tx-end").flatMap { .init(rawValue: $0) } ?? .commit,
            appSettings: appSettings.map { .init(name: $0.name, value: $0.value) },
            sendsAllRequestSettings: string("db-request-settings") == "all",
            allowsTimezone: boolean("db-timezone-enabled"),
            costLimits: CostLimits(list("db-max-cost")) ?? CostLimits(),
            gathersReads: boolean("db-gather-reads"), sharesInserts: boolean("db-share-inserts"))
    }

    var descriptions: Descriptions {
        let own = PublicAddress(
            scheme: string("server-tls-certificate") == nil ? "http" : "https",
            host: string("server-host") ?? "127.0.0.1", port: integer("server-port") ?? 3000, path: "/")
        return Descriptions(
            mode: string("openapi-mode").flatMap { .init(rawValue: $0) } ?? .followPrivileges,
            address: string("openapi-server-proxy-uri").flatMap { PublicAddress(url: $0) } ?? own,
            declaresSecurity: boolean("openapi-security-active"), planner: Planner(settings: planner),
            version: BuildInformation.version)
    }
}
