import ApusEdge
import ApusHTTP
import ApusPostgres
import ApusRealtime
import ApusServer
import ApusTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The server behind its front door, without a socket: a request goes in as an exchange, on an event loop, exactly
/// as a connection hands it over.
final class TestServer: Sendable {
    let database: FeatureDatabase
    private let gateway: Gateway
    private let pool: Database
    private let catalog: Task<Void, Never>
    /// The change feed and the bus; nothing happens on them unless the server was started with them.
    let realtime: Realtime
    private let feeding: Task<Void, Never>

    // MARK: - Life

    /// A server on a database of its own.
    ///
    /// - Parameters:
    ///   - changes: settings by name, over those that all tests share.
    ///   - prepare: statements for the database before the server reads it.
    ///   - isLive: whether it follows the database's changes; then returns when it does.
    static func start(
        _ changes: [String: String] = [:], prepare: String? = nil, isLive: Bool = false
    ) async throws -> TestServer {
        let database = try await FeatureDatabase.make()
        if let prepare { try await database.run(prepare) }
        let server = try TestServer(
            settings(changes), database: database, url: database.serviceURL, isLive: isLive)
        await server.gateway.ready(within: nil)
        if isLive { _ = try await eventually { server.realtime.feed.state.isRunning } }
        return server
    }

    /// One more node on a database that another server has.
    static func start(on database: FeatureDatabase, _ changes: [String: String]) async throws -> TestServer {
        let server = try TestServer(settings(changes), database: database, url: database.serviceURL)
        await server.gateway.ready(within: nil)
        return server
    }

    /// A server whose database cannot be reached.
    static func startWithoutDatabase(_ changes: [String: String] = [:]) async throws -> TestServer {
        let database = try await FeatureDatabase.make()
        let url = "host=/nonexistent user=nobody dbname=none connect_timeout=1"
        return try TestServer(settings(changes), database: database, url: url)
    }

    /// The configuration of most tests, with changes.
    static func settings(_ changes: [String: String] = [:]) throws -> Settings {
        var all = [
            "db-schemas": "library,archive", "db-pool": "4", "jwt-secret": Token.secret,
            "log-level": "error", "dev-inbox": "on", "auth-smtp-max-frequency": "0",
            "auth-sms-max-frequency": "0",
        ]
        // All tests call from one address.
        for name in ["signup", "token", "verify", "otp", "user", "anonymous-users"] {
            all["auth-rate-limit-" + name] = "0"
        }
        all.merge(changes) { $1 }
        let flags = all.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        return try Settings(RawSettings(flags: flags, environment: [:], file: nil))
    }

    private init(_ settings: Settings, database: FeatureDatabase, url: String, isLive: Bool = false) throws {
        self.database = database
        let telemetry = Telemetry.start(settings)
        pool = Database(settings.database(url), logger: telemetry.logger)
        let realtime =
            isLive
            ? try Realtime.make(
                settings, connectionString: database.ownerURL, group: MultiThreadedEventLoopGroup.singleton,
                logger: telemetry.logger)
            : .off
        self.realtime = realtime
        feeding = Task { await realtime.run() }
        let gateway = try Gateway(
            settings: settings, keys: DevelopmentKeys(fallbackSecret: nil), database: pool,
            telemetry: telemetry, realtime: realtime)
        self.gateway = gateway
        catalog = Task { await gateway.serve() }
    }

    /// Ends what a test has no more use for; a server that is shared by a suite ends with the process.
    func stop() async {
        catalog.cancel()
        await catalog.value
        feeding.cancel()
        await feeding.value
        await pool.shutdown()
    }

    var statistics: PoolStatistics { pool.statistics }

    /// What the server does now and then: forgets answers to idempotency keys.
    func removeExpiredAnswers() async -> Int { await gateway.removeExpiredAnswersNow() }

    /// What the cache of answers did.
    var live: LiveStatistics { gateway.liveStatistics }

    /// Reads that were answered by statements for several of them.
    var gatheredReads: Int { gateway.gatherStatistics.reads }

    /// Answers what comes over a connection.
    func respond(to exchange: HTTPExchange) { gateway.respond(to: exchange) }

    /// Takes over other settings, as SIGHUP does.
    func reconfigure(_ changes: [String: String]) throws { try gateway.reconfigure(Self.settings(changes)) }

    // MARK: - Requests

    /// Sends a request and waits for the answer.
    ///
    /// - Parameters:
    ///   - target: path below `/rest/v1/` and query, or a whole path from its slash on; may hold characters that a
    ///     client would have to encode.
    ///   - body: JSON, unless `fields` say otherwise.
    func send(
        _ verb: Verb, _ target: String, as token: String? = nil, _ fields: [String: String] = [:],
        body: String? = nil, bytes: [UInt8]? = nil
    ) async -> Reply {
        var fields = fields
        if body != nil, fields["Content-Type"] == nil { fields["Content-Type"] = "application/json" }
        return await withCheckedContinuation { [fields] continuation in
            exchange(verb, target, as: token, fields, bytes: bytes ?? body.map { Array($0.utf8) }) {
                continuation.resume(returning: Reply($0))
            }
        }
    }

    func get(
        _ target: String, as token: String? = nil, _ fields: [String: String] = [:]
    ) async -> Reply {
        await send(.get, target, as: token, fields)
    }

    /// Starts a request and returns at once; `answer` is called unless the exchange is abandoned. The result
    /// abandons it, as a client does that goes away.
    @discardableResult
    func exchange(
        _ verb: Verb, _ target: String, as token: String? = nil, _ fields: [String: String] = [:],
        bytes: [UInt8]? = nil, answer: @escaping @Sendable (HTTPResponse) -> Void
    ) -> @Sendable () -> Void {
        var headers = HTTPHeaders(fields.map { ($0.key, $0.value) })
        if let token { headers.add(name: "Authorization", value: "Bearer " + token) }
        let path = target.hasPrefix("/") ? target : "/rest/v1/" + target
        let request = HTTPRequest(
            method: verb.method, target: Self.encoded(path), headers: headers,
            body: bytes.map { ByteBuffer(bytes: $0) })
        let loop = Self.loops.next()
        let exchange = HTTPExchange(request: request, eventLoop: loop, send: answer)
        loop.execute { self.gateway.respond(to: exchange) }
        return { exchange.abandon() }
    }

    /// Reads that come in one turn of an event loop, each as somebody; their answers, in order.
    ///
    /// - Parameter abandoned: those whose clients go away at once; they have no answer.
    func together(
        _ targets: [(target: String, token: String?)], abandoned: Set<Int> = []
    ) async -> [Reply?] {
        await together(
            targets.map { Ask(verb: .get, target: $0.target, token: $0.token) }, abandoned: abandoned)
    }

    /// One of several requests.
    struct Ask: Sendable {
        var verb: Verb
        var target: String
        var token: String?
        var body: String?
    }

    /// The same for whatever requests.
    func together(_ asks: [Ask], abandoned: Set<Int> = []) async -> [Reply?] {
        await withCheckedContinuation { continuation in
            let replies = Mutex([Reply?](repeating: nil, count: asks.count))
            let missing = Mutex(asks.count - abandoned.count)
            Self.loops.next().execute {
                for (index, ask) in asks.enumerated() {
                    let fields = ask.body == nil ? [:] : ["Content-Type": "application/json"]
                    let abandon = self.exchange(
                        ask.verb, ask.target, as: ask.token, fields, bytes: ask.body.map { Array($0.utf8) }
                    ) { response in
                        replies.withLock { $0[index] = Reply(response) }
                        let isLast = missing.withLock { missing in
                            missing -= 1
                            return missing == 0
                        }
                        if isLast { continuation.resume(returning: replies.withLock { $0 }) }
                    }
                    if abandoned.contains(index) { Self.loops.next().execute { abandon() } }
                }
            }
        }
    }

    // MARK: - Non public

    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Percent-encodes what may not stand in a URL, and leaves what was encoded already.
    private static func encoded(_ target: String) -> String {
        var result = ""
        for byte in target.utf8 {
            if byte <= 0x20 || byte >= 0x7F || "\"<>{}|\\^`".utf8.contains(byte) {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            } else {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return result
    }
}

/// A method of HTTP (RFC 9110 §9), as tests write it.
enum Verb: Sendable {
    case get, head, post, put, patch, delete, options
    case other(String)

    fileprivate var method: HTTPMethod {
        switch self {
        case .get: .GET
        case .head: .HEAD
        case .post: .POST
        case .put: .PUT
        case .patch: .PATCH
        case .delete: .DELETE
        case .options: .OPTIONS
        case .other(let name): .RAW(value: name)
        }
    }
}
