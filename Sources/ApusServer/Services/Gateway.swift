import ApusCatalog
import ApusDataAPI
package import ApusEdge
import ApusFaults
package import ApusHTTP
import ApusOpenAPI
import ApusPlanner
package import ApusPostgres
import ApusREST
import ApusTelemetry
import ApusTokens
import Logging
import Synchronization

/// Everything between an exchange and the database, for one configuration after another.
///
/// A new configuration makes a new ``Generation``; it takes over when it has read the catalog, and the requests
/// that are under way end in the one they began with.
package final class Gateway: Sendable {
    private struct State {
        var current: Generation
        /// Takes over when it has read the catalog.
        var next: Generation?
        /// Waits for that.
        var takeover: Task<Void, Never>?
        var isDraining = false
        var readers: [Task<Void, Never>] = []
    }

    private let keys: DevelopmentKeys
    private let database: Database
    private let telemetry: Telemetry
    let realtime: Realtime
    /// What changes about tokens while the process lives.
    private let trust = TokenTrust()
    /// nil without authentication. It keeps its settings until the next start.
    private let messaging: Messaging?
    private let state: Mutex<State>
    /// Of the generation that holds now; channels outlive generations.
    private let verifier: Current<TokenVerifier>
    private let rest: Current<RESTEndpoint>
    /// `/live/v1`
    let liveSockets: LiveSocketEndpoint
    /// nil when `realtime-enabled` is off.
    let channels: Channels?

    /// - Throws: when the settings do not hold together.
    package init(
        settings: Settings, keys: DevelopmentKeys, database: Database, telemetry: Telemetry,
        realtime: Realtime = .off
    ) throws {
        self.keys = keys
        self.realtime = realtime
        self.database = database
        self.telemetry = telemetry
        messaging = try settings.messaging(keys, database: database, logger: telemetry.logger)
        let first = try Generation(
            settings, keys: keys, database: database, telemetry: telemetry, trust: trust,
            messaging: messaging, realtime: realtime)
        state = Mutex(State(current: first))
        let verifier = Current(first.verifier)
        self.verifier = verifier
        let rest = Current(first.rest)
        self.rest = rest
        liveSockets = LiveSocketEndpoint(settings: settings.liveSockets) { rest.value }
        channels = Channels(
            settings, database: database, feed: realtime.feed, bus: realtime.bus, trust: trust,
            verifier: { verifier.value }, logger: telemetry.logger)
    }

    /// Answers an exchange.
    package func respond(to exchange: HTTPExchange) {
        let routes = state.withLock { $0.current }.routes(gateway: self)
        routes.respond(to: exchange)
    }

    /// What the cache of answers and the streams do.
    package var liveStatistics: LiveStatistics { state.withLock { $0.current }.live.statistics }

    /// Statements that answered several reads at once, and these reads.
    package var gatherStatistics: (statements: Int, reads: Int) {
        state.withLock { $0.current }.data.gatherStatistics
    }

    var cacheStatistics: (hits: Int, misses: Int) { state.withLock { $0.current }.data.cacheStatistics }

    var tokenCacheStatistics: TokenCacheStatistics {
        state.withLock { $0.current }.verifier.cacheStatistics
    }

    // MARK: - Life

    /// Reads the catalog, and again whenever it changes, until cancelled.
    package func serve() async {
        start(state.withLock { $0.current })
        let cleaner = Task { await removeExpiredAnswers() }
        let mailer = Task { [messaging] in await messaging?.run() }
        let talker = Task { [channels] in await channels?.run() }
        await untilCancelled()
        cleaner.cancel()
        mailer.cancel()
        talker.cancel()
        await mailer.value
        await talker.value
        let readers = state.withLock { state in
            defer { state.readers = [] }
            return state.readers
        }
        for reader in readers { reader.cancel() }
        for reader in readers { await reader.value }
    }

    /// Returns when requests can be answered, or after `limit`.
    package func ready(within limit: Duration?) async {
        let generation = state.withLock { $0.current }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await generation.loaded() }
            if let limit { group.addTask { try? await Task.sleep(for: limit) } }
            await group.next()
            group.cancelAll()
        }
    }

    func beginDraining() {
        let current = state.withLock { state in
            state.isDraining = true
            return state.current
        }
        current.live.drain()
    }

    /// Takes over new settings as soon as the catalog was read with them. What was fixed at the start stays:
    /// addresses, ports, the database.
    ///
    /// - Throws: when the settings do not hold; then nothing changes.
    package func reconfigure(_ settings: Settings) throws {
        let next = try Generation(
            settings, keys: keys, database: database, telemetry: telemetry, trust: trust,
            messaging: messaging, realtime: realtime)
        start(next)
        let (overtaken, waiting) = state.withLock { state in
            defer { state.next = next }
            return (state.next, state.takeover)
        }
        waiting?.cancel()
        overtaken?.stop()
        let takeover = Task {
            await next.loaded()
            takeOver(next)?.stop()
        }
        state.withLock { $0.takeover = takeover }
    }

    /// Makes a generation the current one and returns that of before; nil when a later one has overtaken it.
    private func takeOver(_ generation: Generation) -> Generation? {
        state.withLock { state in
            guard state.next === generation else { return nil }
            state.next = nil
            defer { state.current = generation }
            verifier.value = generation.verifier
            rest.value = generation.rest
            return state.current
        }
    }

    /// Forgets the answers to idempotency keys whose time is over; how many these were.
    package func removeExpiredAnswersNow() async -> Int {
        await state.withLock { $0.current }.data.removeExpiredAnswers()
    }

    /// Every ten minutes: answers kept for idempotency keys are few in comparison with the rows they speak of.
    private func removeExpiredAnswers() async {
        while (try? await Task.sleep(for: .seconds(600))) != nil {
            let removed = await removeExpiredAnswersNow()
            if removed > 0 {
                telemetry.logger.debug(
                    "removed expired answers", metadata: ["count": .stringConvertible(removed)])
            }
        }
    }

    private func start(_ generation: Generation) {
        let events = generation.catalogs.events()
        let reader = Task { [channels] in
            let listener = Task {
                for await case .loaded(_, let changed, _) in events where changed {
                    await channels?.schemaChanged()
                }
            }
            await generation.run()
            listener.cancel()
        }
        state.withLock { $0.readers.append(reader) }
    }

    // MARK: - Health

    var readiness: Health.Readiness {
        let (generation, isDraining) = state.withLock { ($0.current, $0.isDraining) }
        if isDraining { return .notReady("The server is stopping.") }
        if generation.catalogs.current == nil { return .notReady("The database has not been read yet.") }
        let pool = database.statistics
        if pool.open == 0, pool.connecting > 0 || pool.waiting > 0 {
            return .notReady("The database cannot be reached.")
        }
        return .ready
    }

    /// `/metrics`
    func metrics(_ exchange: HTTPExchange) {
        var bytes: [UInt8] = []
        telemetry.metrics.render(into: &bytes)
        exchange.respond(
            HTTPResponse(
                status: 200, fields: [.init("Content-Type", PrometheusMetricsFactory.contentType)],
                body: .bytes(bytes)))
    }
}

/// What belongs to the configuration that holds now.
private final class Current<Value: Sendable>: Sendable {
    private let current: Mutex<Value>

    init(_ value: Value) { current = Mutex(value) }

    var value: Value {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}

/// Waits until the task is cancelled.
private func untilCancelled() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    await withTaskCancellationHandler {
        for await _ in stream {}
    } onCancel: {
        continuation.finish()
    }
}
