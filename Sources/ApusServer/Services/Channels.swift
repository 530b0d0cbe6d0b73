import ApusEdge
import ApusFaults
import ApusHTTP
import ApusPostgres
import ApusRealtime
import ApusSQL
import ApusTokens
import Logging
import NIOCore
import Synchronization

/// Channels (`/realtime/v1`) out of the configuration. They outlive reloads, because connections do: what was set at
/// the start stays, only tokens are verified by the newest settings.
final class Channels: Sendable {
    let endpoint: RealtimeEndpoint
    let prefix: String
    private let hub: RealtimeHub
    private let book: AccessBook
    private let database: Database
    private let lifetime: Int
    private let logger: Logger
    private let stopHearing: @Sendable () -> Void

    /// - Parameter verifier: of the configuration that holds now.
    init(
        _ settings: Settings, database: Database, feed: ChangeFeed?, bus: any Bus, trust: TokenTrust,
        verifier: @escaping @Sendable () -> TokenVerifier, logger: Logger
    ) {
        self.database = database
        self.logger = logger
        let book = AccessBook(database: database)
        self.book = book
        let realtime = settings.realtime
        prefix = realtime.prefix
        lifetime = settings.integer("realtime-messages-lifetime") ?? 72
        let hub = RealtimeHub(
            .init(
                settings: realtime, database: database, verifier: verifier, feed: feed,
                subscriptions: RowSubscriptions(
                    database: database, book: book, searchPath: settings.searchPath),
                book: book,
                authorizer: TopicAuthorizer(database: database, searchPath: settings.searchPath), bus: bus,
                logger: logger))
        self.hub = hub
        endpoint = RealtimeEndpoint(
            hub: hub, cors: CORS(allowedOrigins: settings.list("server-cors-allowed-origins")))
        stopHearing = trust.onEnd { [weak hub] in hub?.end(sessions: $0) }
    }

    deinit { stopHearing() }

    /// Until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.hub.run() }
            group.addTask { await self.keepMessages() }
        }
    }

    /// The schema has changed, and with it, perhaps, who may see what.
    func schemaChanged() async { await book.reset() }

    /// Makes partitions for the messages of the next days and drops old ones: at the start and every hour.
    private func keepMessages() async {
        repeat {
            do throws(PostgresFault) {
                try await database.query(
                    "select realtime.keep_messages(make_interval(hours => \(bind: lifetime)::text::int))")
            } catch {
                // Without the schema, or without the right, there is nothing to look after.
                if error.kind == .server {
                    logger.debug(
                        "realtime.messages is not looked after", metadata: ["reason": "\(error.message)"])
                }
            }
        } while (try? await Task.sleep(for: .seconds(3_600))) != nil
    }
}

extension Settings {
    var realtime: RealtimeSettings {
        var prefix = string("realtime-prefix") ?? "/realtime/v1"
        while prefix.hasSuffix("/") { prefix.removeLast() }
        let payload = integer("realtime-max-payload") ?? 3_000_000
        return RealtimeSettings(
            prefix: prefix, privateOnly: boolean("realtime-private-only"),
            channelsPerConnection: integer("realtime-max-channels") ?? 100,
            connections: integer("realtime-max-connections") ?? 0,
            handshakesPerSecond: integer("realtime-max-handshakes") ?? 0,
            trustedHops: integer("server-trusted-hops") ?? 0,
            eventsPerSecond: integer("realtime-max-events") ?? 100,
            joinsPerSecond: integer("realtime-max-joins") ?? 100,
            presenceCalls: integer("realtime-max-presence") ?? 60, payloadBytes: payload,
            webSocket: WebSocketLimits(
                frameBytes: payload + 65_536, messageBytes: payload + 65_536,
                queueBytes: integer("realtime-queue") ?? 1 << 20))
    }
}
