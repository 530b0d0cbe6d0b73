package import ApusCatalog
package import Logging
import Synchronization

/// Holds the catalog of today, and keeps it up to date.
///
/// A failed reload keeps the catalog that was there. Requests for a reload that come while one waits or runs
/// become one more reload.
package final class CatalogStore: Sendable {
    /// What others may want to know.
    package enum Event: Sendable {
        /// The database was read; `changed` says whether it differs from what was known.
        case loaded(Catalog, changed: Bool, duration: Duration)
        /// The database could not be read; it will be tried again.
        case failed(PostgresFault)
        /// Someone asked for the configuration to be read again (`NOTIFY pgrst, 'reload config'`).
        case configurationRequested
    }

    private struct State {
        var snapshot: CatalogSnapshot?
        var observers: [UInt64: AsyncStream<Event>.Continuation] = [:]
        var lastObserver: UInt64 = 0
    }

    /// Longest wait between attempts, as upstream has it.
    private static let longestDelay = Duration.seconds(32)
    private static let firstDelay = Duration.milliseconds(250)

    private let database: Database
    private let settings: CatalogSettings
    private let logger: Logger
    private let quietPeriod: Duration
    private let state = Mutex(State())
    /// Whether a reload was asked for since the last one began.
    private let isReloadDue = Atomic(true)
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    /// - Parameter quietPeriod: how long a reload waits for more of its kind, for changes come in bursts.
    package init(
        database: Database, settings: CatalogSettings, logger: Logger,
        quietPeriod: Duration = .milliseconds(20)
    ) {
        self.database = database
        self.settings = settings
        self.logger = logger
        self.quietPeriod = quietPeriod
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        wakeUp.yield()
    }

    /// The catalog of today; nil until the database was read once. Keep it for the whole of a request.
    package var current: Catalog? { snapshot?.catalog }

    /// The same behind one reference, for the hot path: the lock is held for one retain.
    package var snapshot: CatalogSnapshot? { state.withLock { $0.snapshot } }

    /// What happens from now on. Each caller has a stream of its own, which ends with ``run()``.
    package func events() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        let id = state.withLock { state in
            state.lastObserver += 1
            state.observers[state.lastObserver] = continuation
            return state.lastObserver
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.observers.removeValue(forKey: id) }
        }
        return stream
    }

    /// Asks for the database to be read again, soon.
    package func reload() {
        isReloadDue.store(true, ordering: .releasing)
        wakeUp.yield()
    }

    /// Reads the database, then again whenever that is asked for here or by `NOTIFY`, until cancelled. To be
    /// called once.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.listen() }
            group.addTask { await self.loadWhenDue() }
        }
        let observers = state.withLock { state in
            defer { state.observers = [:] }
            return state.observers.values.map { $0 }
        }
        for observer in observers { observer.finish() }
    }

    // MARK: - Loading

    private func loadWhenDue() async {
        var failures = 0
        var retry: Task<Void, Never>?
        defer { retry?.cancel() }
        for await _ in wakeUps {
            if current != nil { try? await Task.sleep(for: quietPeriod) }
            guard !Task.isCancelled else { return }
            guard isReloadDue.exchange(false, ordering: .acquiringAndReleasing) else { continue }
            retry?.cancel()
            if await load() {
                failures = 0
            } else {
                let delay = Self.delay(afterFailures: failures)
                failures += 1
                retry = Task {
                    guard (try? await Task.sleep(for: delay)) != nil else { return }
                    self.reload()
                }
            }
        }
    }

    private func load() async -> Bool {
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let read = try await CatalogReader.read(from: database, settings: settings)
            let (catalog, changed) = accept(read)
            let duration = clock.now - start
            announce(catalog, changed: changed, duration: duration)
            emit(.loaded(catalog, changed: changed, duration: duration))
            return true
        } catch {
            if !Task.isCancelled {
                logger.warning("catalog not loaded", metadata: ["error": "\(error.message)"])
            }
            emit(.failed(error))
            return false
        }
    }

    /// Takes over what was read, unless it is what was known: then what others derived from it stays good.
    private func accept(_ read: Catalog) -> (Catalog, changed: Bool) {
        if let known = current, known.hasSameContents(as: read) { return (known, false) }
        let snapshot = CatalogSnapshot(read)
        // The old one is let go outside the lock: it may be the last reference to a large tree.
        let old = state.withLock { state in
            defer { state.snapshot = snapshot }
            return state.snapshot
        }
        withExtendedLifetime(old) {}
        return (read, true)
    }

    /// Doubles from a quarter of a second, with jitter so that many nodes do not come back at once.
    private static func delay(afterFailures failures: Int) -> Duration {
        let delay = min(firstDelay * (1 << min(failures, 10)), longestDelay)
        return delay * Double.random(in: 0.5...1)
    }

    // MARK: - Listening

    private func listen() async {
        guard let channel = settings.channel else { return }
        for await notification in database.listen([Self.ddlChannel, channel]) { handle(notification) }
    }

    /// The dialect's words; an empty payload asks for both. What was said while nobody listened is made good by
    /// a reload.
    private func handle(_ notification: DatabaseNotification) {
        switch notification {
        case .reconnected, .message(Self.ddlChannel, _, _), .message(_, "reload schema", _): reload()
        case .message(_, "reload config", _): emit(.configurationRequested)
        case .message(_, "", _):
            emit(.configurationRequested)
            reload()
        case .message(_, let payload, _):
            logger.debug("notification not understood", metadata: ["payload": "\(payload)"])
        }
    }

    // MARK: - Telling

    private func emit(_ event: Event) {
        let observers = state.withLock { state in state.observers.values.map { $0 } }
        for observer in observers { observer.yield(event) }
    }

    private func announce(_ catalog: Catalog, changed: Bool, duration: Duration) {
        let missing = settings.schemas.filter { catalog.schemas[$0] == nil }
        if changed, !missing.isEmpty {
            logger.warning("exposed schemas do not exist", metadata: ["schemas": "\(missing)"])
        }
        logger.info(
            changed ? "catalog loaded" : "catalog unchanged",
            metadata: [
                "relations": "\(catalog.relations.count)", "functions": "\(catalog.functions.count)",
                "milliseconds": "\(duration / .milliseconds(1))",
            ])
    }
}
