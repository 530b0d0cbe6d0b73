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
        /// Whether a function of the user's runs at the start of each request (`db-pre-request`): then no answer can be
        /// given without it.
        package var hasPreRequest: Bool

        package init(
            cacheBytes: Int = 64 << 20, streamLimit: Int = 10_000, longestWait: Int = 60,
            hasPreRequest: Bool = false
        ) {
            self.cacheBytes = cacheBytes
            self.streamLimit = streamLimit
            self.longestWait = longestWait
            self.hasPreRequest = hasPreRequest
        }
    }

    /// An answer as it is kept: the response, with its body in memory.
    struct Kept: Sendable {
        var response: RESTResponse
        var tag: EntityTag
    }

    let settings: Settings
    let clock: RelationClock
    let reaches: ReachBook
    let cache: ResponseCache<Kept>
    let board: LiveBoard
    private let feed: ChangeFeed
    private let database: Database
    private let claimsParts = Mutex<[ObjectIdentifier: ClaimsMemo]>([:])
    private let lastWrites = Mutex<[UInt64: LSN]>([:])
    private let positions: WritePositions

    /// - Parameter verifier: says whether a stream's token still holds.
    package init(feed: ChangeFeed, database: Database, verifier: TokenVerifier, settings: Settings) {
        self.settings = settings
        self.feed = feed
        self.database = database
        clock = RelationClock(feed: feed, database: database)
        positions = WritePositions(database: database)
        reaches = ReachBook(database: database)
        cache = ResponseCache(limit: settings.cacheBytes)
        board = LiveBoard(clock: clock, verifier: verifier, limit: settings.streamLimit)
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
        clock.stop()
    }

    /// The schema, a policy or a privilege may have changed.
    package func schemaChanged() {
        reaches.reset()
        cache.removeAll()
        board.endAll(.schemaChanged)
    }

    /// Ends all streams: the server is stopping.
    package func drain() { board.endAll(.stopping) }

    /// Whether the feed runs, and may decide about answers.
    var isUseful: Bool { !settings.hasPreRequest && feed.state.isRunning }

    /// Why no read can be followed; nil when it can.
    var reasonNotToFollow: String? { feed.state.reason }

    /// For `/metrics`.
    package var statistics: (hits: Int, misses: Int, dropped: Int, bytes: Int, entries: Int, streams: Int) {
        let cache = cache.statistics
        return (cache.hits, cache.misses, cache.dropped, cache.bytes, cache.entries, board.count)
    }

    // MARK: - Reading one's writes

    /// The position that a write of the caller's, which has been answered, lies before; nil when the database does not
    /// say.
    func position(
        afterWriteOf principal: Principal, then: @escaping @Sendable (LSN?) -> Void
    ) {
        positions.ask { [self] position in
            if let position { note(position, principal) }
            then(position)
        }
    }

    /// Whether what the caller wrote, by its own word or as far as this node knows, has been taken in.
    func hasSeenWrites(of principal: Principal, said: LSN?) -> Bool {
        if let said, !clock.hasProcessed(said) {
            clock.requestProgress()
            return false
        }
        let known = lastWrites.withLock { $0.isEmpty ? nil : $0[Self.hash(principal)] }
        guard let known, !clock.hasProcessed(known) else { return true }
        clock.requestProgress()
        return false
    }

    private func note(_ position: LSN, _ principal: Principal) {
        let processed = clock.processed
        lastWrites.withLock { writes in
            if writes.count >= 10_000 { writes = writes.filter { $0.value > processed } }
            let hash = Self.hash(principal)
            writes[hash] = max(writes[hash] ?? .zero, position)
        }
    }

    private static func hash(_ principal: Principal) -> UInt64 {
        var hash = ContentHash()
        hash.add(Array(principal.role.utf8))
        hash.add(principal.claims)
        return hash.finish()
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
        var part = Array(principal.role.utf8) + [0]
        guard case .named(let names) = use, let claims = (try? JSONReader.read(principal.claims))?.object
        else {
            return part + principal.claims
        }
        for name in names.sorted() {
            part += Array(name.utf8) + [0]
            if let value = claims[name] { value.write(to: &part) }
            part.append(0)
        }
        return part
    }
}
