import ApusFaults
package import ApusPostgres
import ApusSQL
import DequeModule
import Synchronization

/// Knows of every table when it last changed, by the feed, and since when that is all there was to know.
///
/// A reader that begins now sees at least everything up to ``Reading/position``: those transactions were not only heard
/// of but found visible in a snapshot. (PostgreSQL sends a commit to the feed a moment before other sessions see it.)
package final class RelationClock: Sendable {
    /// A moment of the feed.
    package struct Reading: Sendable, Hashable {
        package var epoch: UInt64
        package var position: LSN

        package init(epoch: UInt64, position: LSN) {
            self.epoch = epoch
            self.position = position
        }
    }

    /// Hears of transactions in their order, before ``processed`` passes them; must not block.
    package typealias Listener = @Sendable (FeedTransaction) -> Void

    private struct State {
        var epoch: UInt64?
        /// What committed later is known; nil until the feed has said where it is.
        var start: LSN?
        var processed = LSN.zero
        var proven = LSN.zero
        var lastChange: [UInt32: LSN] = [:]
        /// When any table changed last.
        var lastHeard = LSN.zero
        var unproven: Deque<(end: LSN, xid: UInt64)> = []
        var isProbing = false
        var isRunning = false
        var listener: Listener?
        var onBreak: (@Sendable () -> Void)?
    }

    private let feed: ChangeFeed
    private let database: Database
    private let state = Mutex(State())
    private let subscription = Mutex<FeedSubscription?>(nil)

    package init(feed: ChangeFeed, database: Database) {
        self.feed = feed
        self.database = database
    }

    /// Begins to follow the feed.
    ///
    /// - Parameters:
    ///   - listener: hears every transaction.
    ///   - onBreak: called when continuity is lost: everything derived from the feed must be thrown away.
    package func start(listener: @escaping Listener, onBreak: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.listener = listener
            state.onBreak = onBreak
        }
        let made = feed.subscribe(from: nil) { [weak self] event in self?.receive(event) }
        subscription.withLock { $0 = made }
        feed.requestProgress()
    }

    package func stop() {
        subscription.withLock { $0 = nil }
        breakOff(epoch: nil)
    }

    // MARK: - Asking

    /// What a statement that is sent from now on sees at least; nil when the feed does not run, or has just begun and told of
    /// what others do not see yet.
    package func reading() -> Reading? {
        guard feed.state.isRunning else { return nil }
        return state.withLock { state in
            guard let epoch = state.epoch, let start = state.start, state.proven >= start else { return nil }
            return Reading(epoch: epoch, position: state.proven)
        }
    }

    /// Whether the feed would have shown every change of these tables after the reading, and has shown none.
    package func isUnchanged(_ relations: [UInt32], since reading: Reading) -> Bool {
        let coverage = feed.coverage
        return state.withLock { state in
            guard state.epoch == reading.epoch, let start = state.start, start <= reading.position else {
                return false
            }
            return relations.allSatisfy { oid in
                guard let table = coverage.tables[oid], table.since <= reading.position else { return false }
                return (state.lastChange[oid] ?? .zero) <= reading.position
            }
        }
    }

    /// Whether the feed shows, or has shown, every change of these tables after the reading.
    package func hears(_ relations: [UInt32], since reading: Reading) -> Bool {
        let coverage = feed.coverage
        return state.withLock { state in
            guard state.epoch == reading.epoch, let start = state.start, start <= reading.position else {
                return false
            }
            return relations.allSatisfy { oid in
                coverage.tables[oid].map { $0.since <= reading.position } ?? false
            }
        }
    }

    /// When one of these tables changed last, as far as was heard.
    package func lastChange(of relations: [UInt32]) -> LSN {
        state.withLock { state in relations.compactMap { state.lastChange[$0] }.max() ?? .zero }
    }

    /// When any table changed last, as far as was heard.
    package var lastHeard: LSN { state.withLock { $0.lastHeard } }

    /// Whether a change of whatever table has been heard of that a statement from then on may not have seen.
    package func hasHeard(since reading: Reading) -> Bool {
        state.withLock { $0.epoch != reading.epoch || $0.lastHeard > reading.position }
    }

    /// All transactions that a statement of the reading's moment may not have seen, as far as they were heard of; nil
    /// when the log does not reach back that far.
    package func transactions(since reading: Reading) -> [FeedTransaction]? {
        // A commit record may begin where the one before it ends.
        feed.log.replay(after: .init(epoch: reading.epoch, lsn: reading.position, index: -1))?.transactions
    }

    /// Whether the feed brings every change of these tables.
    package func covers(_ relations: [UInt32]) -> Bool {
        let coverage = feed.coverage
        return relations.allSatisfy { coverage.covers($0) }
    }

    /// Whether everything that committed up to here has been taken in.
    package func hasProcessed(_ position: LSN) -> Bool { state.withLock { $0.processed >= position } }

    /// Everything up to here has been taken in.
    package var processed: LSN { state.withLock { $0.processed } }

    /// Asks the feed to hurry.
    package func requestProgress() { feed.requestProgress() }

    // MARK: - Following the feed

    private func receive(_ event: FeedEvent) {
        switch event {
        case .transaction(let transaction): receive(transaction)
        case .caughtUp(let position): advance(to: position)
        case .epochChanged(let epoch): breakOff(epoch: epoch)
        }
    }

    private func receive(_ transaction: FeedTransaction) {
        let earlier = heardBeforeStart()
        let (listener, mustProbe) = state.withLock { state -> (Listener?, Bool) in
            if state.epoch != transaction.position.epoch {
                state.epoch = transaction.position.epoch
                state.start = nil
            }
            Self.begin(at: transaction.endLSN, after: earlier, &state)
            if !transaction.changes.isEmpty { state.lastHeard = transaction.endLSN }
            for change in transaction.changes { state.lastChange[change.relation.oid] = transaction.endLSN }
            state.unproven.append((transaction.endLSN, transaction.fullXID))
            defer { state.isProbing = true }
            return (state.listener, !state.isProbing)
        }
        listener?(transaction)
        // Of a large transaction more is to come.
        if transaction.isLastPart { state.withLock { $0.processed = max($0.processed, transaction.endLSN) } }
        if mustProbe { probe() }
    }

    private func advance(to position: LSN) {
        let earlier = heardBeforeStart()
        let mustProbe = state.withLock { state -> Bool in
            if state.epoch == nil { state.epoch = feed.head?.epoch }
            Self.begin(at: position, after: earlier, &state)
            state.processed = max(state.processed, position)
            guard !state.unproven.isEmpty else {
                state.proven = max(state.proven, position)
                return false
            }
            defer { state.isProbing = true }
            return !state.isProbing
        }
        if mustProbe { probe() }
    }

    /// What the feed has heard of already when this begins: others may not see the last of it yet.
    private func heardBeforeStart() -> [(end: LSN, xid: UInt64)] {
        guard state.withLock({ $0.start == nil }), let start = feed.log.start,
            let known = feed.log.replay(after: start)
        else { return [] }
        return known.transactions.suffix(Self.mostUnseen).map { ($0.endLSN, $0.fullXID) }
    }

    /// More commits than can be on their way from the log to other sessions at one moment.
    private static let mostUnseen = 10_000

    private static func begin(
        at position: LSN, after earlier: [(end: LSN, xid: UInt64)], _ state: inout State
    ) {
        guard state.start == nil else { return }
        state.start = position
        state.unproven.insert(contentsOf: earlier.filter { $0.end <= position }, at: 0)
    }

    private func breakOff(epoch: UInt64?) {
        let onBreak = state.withLock { state in
            state.epoch = epoch
            state.start = nil
            state.lastChange = [:]
            state.lastHeard = .zero
            state.unproven = []
            state.processed = .zero
            state.proven = .zero
            return state.onBreak
        }
        onBreak?()
        if epoch != nil { feed.requestProgress() }
    }

    // MARK: - Proving

    private static let snapshotText = StatementText("select pg_current_snapshot()::text")

    /// Takes a snapshot and sees which of the transactions that were heard of it shows.
    private func probe() {
        let known = state.withLock { $0.unproven.last?.end ?? .zero }
        let trip = RoundTrip(
            steps: [.init(Statement(text: Self.snapshotText))], isReadOnly: true)
        database.submit(trip) { [weak self] result in
            let snapshot = (try? result.get())?.first.flatMap { $0.string(0, 0) }.flatMap { XIDSnapshot($0) }
            self?.prove(by: snapshot, upTo: known)
        }
    }

    private func prove(by snapshot: XIDSnapshot?, upTo known: LSN) {
        let isDone = state.withLock { state in
            if let snapshot {
                while let first = state.unproven.first, first.end <= known, snapshot.sees(first.xid) {
                    state.unproven.removeFirst()
                    state.proven = max(state.proven, first.end)
                }
            }
            if state.unproven.isEmpty {
                state.proven = max(state.proven, state.processed)
                state.isProbing = false
            }
            return state.unproven.isEmpty
        }
        guard !isDone else { return }
        // What is new may be proven at once; what is not seen yet, or a database that is away, gets a moment.
        let pause = snapshot == nil ? Duration.milliseconds(200) : .milliseconds(1)
        Task { [weak self] in
            try? await Task.sleep(for: pause)
            self?.probe()
        }
    }
}
