import ApusDataAPI
import ApusFaults
import ApusJSON
package import ApusPostgres
import ApusREST
package import ApusRealtime
import ApusSQL
package import ApusTokens
import Synchronization

/// What the change feed makes possible for reads: answers from memory, `304` without a query, waiting for a change, and
/// streams. One for a configuration.
package final class LiveReads: Sendable {
    package struct Settings: Sendable {
        /// `cache-size`: bytes of answers that are kept; 0: none.
        package var cacheBytes: Int
        /// `live-max-streams`: reads that are followed at once.
        package var streamLimit: Int
        /// `live-max-wait`: longest `Prefer: wait`, seconds.
        package var longestWait: Int
        /// `live-max-result`: bytes of one result that is followed.
        package var resultBytes: Int
        /// `live-queue`: bytes that may wait for a client that reads slowly.
        package var queueBytes: Int
        /// Schemas in which functions of policies find what they name without schema.
        package var searchPath: [String]
        /// Whether a function of the user's runs at the start of each request (`db-pre-request`): then no answer can be
        /// given without it.
        package var hasPreRequest: Bool

        package init(
            cacheBytes: Int = 64 << 20, streamLimit: Int = 10_000, longestWait: Int = 60,
            resultBytes: Int = 4 << 20, queueBytes: Int = 4 << 20, searchPath: [String] = [],
            hasPreRequest: Bool = false
        ) {
            self.cacheBytes = cacheBytes
            self.streamLimit = streamLimit
            self.longestWait = longestWait
            self.resultBytes = resultBytes
            self.queueBytes = queueBytes
            self.searchPath = searchPath
            self.hasPreRequest = hasPreRequest
        }
    }

    /// An answer as it is kept: the response, with its body in memory.
    final class Kept: Sendable {
        let response: RESTResponse
        let tag: EntityTag

        init(response: RESTResponse, tag: EntityTag) {
            self.response = response
            self.tag = tag
        }
    }

    let settings: Settings
    let clock: RelationClock
    let reaches: ReachBook
    let cache: ResponseCache
    let board: LiveBoard
    /// Which rows followed reads may show.
    let views: LiveViews
    private let reads = Atomic<Int>(0)
    private let feed: ChangeFeed
    private let draining = Atomic(false)
    private let database: Database
    private let claimsParts = Mutex<[ObjectIdentifier: ClaimsMemo]>([:])
    private let lastWrites = LastWrites()
    private let positions: WritePositions

    /// - Parameter verifier: says whether a stream's token still holds.
    package init(feed: ChangeFeed, database: Database, verifier: TokenVerifier, settings: Settings) {
        self.settings = settings
        self.feed = feed
        self.database = database
        clock = RelationClock(feed: feed, database: database)
        positions = WritePositions { database.submit($0, completion: $1) }
        reaches = ReachBook(database: database)
        cache = ResponseCache(limit: settings.cacheBytes)
        board = LiveBoard(clock: clock, verifier: verifier, limit: settings.streamLimit)
        views = LiveViews(database: database, searchPath: settings.searchPath)
    }

    // MARK: - Life

    /// Until cancelled.
    package func run() async {
        clock.start(
            listener: { [weak self] transaction in
                self?.cache.drop(by: transaction.changes)
                self?.board.wake(by: transaction)
            },
            onBreak: { [weak self] in
                self?.cache.removeAll()
                self?.board.wakeAll()
            })
        await board.run()
        // Another configuration takes over, or the server stops.
        board.endAll(.schemaChanged, isFinal: true)
        clock.stop()
    }

    /// The schema, a policy or a privilege may have changed.
    package func schemaChanged() async {
        reaches.reset()
        cache.removeAll()
        // Before the streams end, which begin again at once.
        await views.reset()
        board.endAll(.schemaChanged)
    }

    /// Ends all streams: the server is stopping.
    package func drain() {
        draining.store(true, ordering: .releasing)
        board.endAll(.stopping, isFinal: true)
        board.endWatches()
    }

    /// Nobody is kept waiting any more.
    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// A read that is followed is asked, the first time or again.
    func countRead() { reads.add(1, ordering: .relaxed) }

    /// Whether the feed runs, and may decide about answers.
    var isUseful: Bool { !settings.hasPreRequest && feed.state.isRunning }

    /// Why no read can be followed; nil when it can.
    var reasonNotToFollow: String? { feed.state.reason }

    /// For `/metrics`.
    package var statistics: LiveStatistics {
        let cache = cache.statistics
        return LiveStatistics(
            hits: cache.hits, misses: cache.misses, dropped: cache.dropped, bytes: cache.bytes,
            entries: cache.entries, streams: board.count, reads: reads.load(ordering: .relaxed))
    }

    // MARK: - Reading one's writes

    /// Whether writes tell their position: the feed may run, now or later.
    var tellsPositions: Bool { if case .off = feed.state { false } else { true } }

    /// The position that a write of the caller's, which has been answered, lies before; nil when the database does not
    /// say.
    ///
    /// - Parameter own: asks in place of the one for everybody.
    func position(
        afterWriteOf principal: Principal, by own: WritePositions? = nil,
        then: @escaping @Sendable (LSN?) -> Void
    ) {
        (own ?? positions).ask { [self] position in
            lastWrites.note(position, for: principal, processed: clock.processed)
            then(position)
        }
    }

    /// Whether what the caller wrote, by its own word or as far as this node knows, has been taken in.
    func hasSeenWrites(of principal: Principal, said: LSN?) -> Bool {
        if let said, !clock.hasProcessed(said) {
            clock.requestProgress()
            return false
        }
        switch lastWrites.standing(of: principal) {
        case .none: return true
        case .before(let position):
            if clock.hasProcessed(position) { return true }
            clock.requestProgress()
        case .unknown(let lost):
            positions.ask { [self] position in
                if let position { lastWrites.find(position, for: principal, lost: lost) }
            }
        }
        return false
    }

    // MARK: - Keys

    private struct ClaimsMemo {
        /// Kept, so that no other principal can take its place in memory.
        var principal: Principal
        var parts: [ClaimsUse: [UInt8]]
    }

    /// What of a caller decides about an answer, as bytes: its role, and the claims that are read.
    func callerPart(_ principal: Principal, _ use: ClaimsUse) -> [UInt8] {
        if case .named(let names) = use, names.isEmpty { return Array(principal.role.utf8) }
        let identity = ObjectIdentifier(principal)
        if let known = claimsParts.withLock({ $0[identity]?.parts[use] }) { return known }
        let made = Self.callerPart(principal, use)
        claimsParts.withLock { memos in
            if memos.count >= 4_096 { memos = [:] }
            memos[identity, default: ClaimsMemo(principal: principal, parts: [:])].parts[use] = made
        }
        return made
    }

    private static func callerPart(_ principal: Principal, _ use: ClaimsUse) -> [UInt8] {
        Array(principal.role.utf8) + [0] + use.part(of: principal.claims)
    }
}
