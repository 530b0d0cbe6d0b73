import ApusFaults
import ApusRealtime
import ApusTokens
import Synchronization

/// Who waits for which table, and who follows which read.
final class LiveBoard: Sendable {
    private struct Guest {
        var query: LiveQuery
        var token: String?
        var tell: @Sendable (LiveEvent) -> Bool
    }

    private struct State {
        var lastID: UInt64 = 0
        var watches: [UInt32: [UInt64: Watch]] = [:]
        var queries: [[UInt8]: LiveQuery] = [:]
        var ofRelation: [UInt32: Set<[UInt8]>] = [:]
        /// Queries of which it is not known what they read.
        var ofAny: Set<[UInt8]> = []
        var guests: [UInt64: Guest] = [:]
    }

    private let clock: RelationClock
    private let verifier: TokenVerifier
    private let limit: Int
    private let state = Mutex(State())

    init(clock: RelationClock, verifier: TokenVerifier, limit: Int) {
        self.clock = clock
        self.verifier = verifier
        self.limit = limit
    }

    /// Streams that are open.
    var count: Int { state.withLock { $0.guests.count } }

    // MARK: - Waiting for one change

    func watch(_ relations: [UInt32], _ action: @escaping @Sendable () -> Void) -> Watch {
        let watch = Watch(action)
        let id = state.withLock { state in
            state.lastID += 1
            for relation in relations { state.watches[relation, default: [:]][state.lastID] = watch }
            return state.lastID
        }
        watch.onEnd { [weak self] in
            self?.state.withLock { state in
                for relation in relations {
                    state.watches[relation]?[id] = nil
                    if state.watches[relation]?.isEmpty == true { state.watches[relation] = nil }
                }
            }
        }
        return watch
    }

    // MARK: - Following

    /// Follows a read, together with others who follow the same.
    ///
    /// - Parameters:
    ///   - token: the follower's; the stream ends when it does not hold any more.
    ///   - make: makes the query when nobody follows it yet.
    /// - Returns: what ``leave(_:)`` takes; nil when too many streams are open.
    func follow(
        _ key: [UInt8], token: String?, lastEventID: String?, tell: @escaping @Sendable (LiveEvent) -> Bool,
        make: () -> LiveQuery
    ) -> UInt64? {
        while true {
            let joined = state.withLock { state -> (id: UInt64, query: LiveQuery)? in
                guard state.guests.count < limit else { return nil }
                state.lastID += 1
                let query = state.queries[key] ?? make()
                if state.queries[key] == nil { Self.enter(query, &state) }
                state.guests[state.lastID] = Guest(query: query, token: token, tell: tell)
                return (state.lastID, query)
            }
            guard let (id, query) = joined else { return nil }
            if query.add(.init(id: id, tell: tell, lastEventID: lastEventID)) { return id }
            // It ended at this moment; the next round makes another.
            state.withLock { state in
                state.guests[id] = nil
                Self.exit(query, &state)
            }
        }
    }

    func leave(_ id: UInt64) {
        guard let guest = state.withLock({ $0.guests.removeValue(forKey: id) }) else { return }
        if guest.query.remove(id) { state.withLock { Self.exit(guest.query, &$0) } }
    }

    func endAll(_ end: LiveEnd) {
        let queries = state.withLock { state in
            defer {
                state.queries = [:]
                state.ofRelation = [:]
                state.ofAny = []
                state.guests = [:]
            }
            return state.queries.values.map { $0 }
        }
        for query in queries { query.end(end) }
    }

    // MARK: - Waking

    func wake(by transaction: FeedTransaction) {
        guard !transaction.changes.isEmpty else { return }
        var relations: Set<UInt32> = []
        for change in transaction.changes { relations.insert(change.relation.oid) }
        let (watches, queries) = state.withLock { state -> ([Watch], [LiveQuery]) in
            if state.watches.isEmpty, state.queries.isEmpty { return ([], []) }
            var keys = state.ofAny
            var watches: [Watch] = []
            for relation in relations {
                if let found = state.ofRelation[relation] { keys.formUnion(found) }
                if let found = state.watches[relation] { watches += found.values }
            }
            return (watches, keys.compactMap { state.queries[$0] })
        }
        for watch in watches { watch.fire() }
        for query in queries { query.wake(by: transaction) }
    }

    func wakeAll() {
        let (watches, queries) = state.withLock { state in
            (state.watches.values.flatMap { $0.values }, Array(state.queries.values))
        }
        for watch in watches { watch.fire() }
        for query in queries { query.wake(by: nil) }
    }

    // MARK: - Looking after

    private static let round = Duration.milliseconds(400)
    private static let roundsPerPulse = 37
    private static let roundsPerBlindRead = 25

    /// Ends streams whose tokens do not hold any more, lets connections know that they live, and asks reads again of
    /// which it is not known what they depend on. Until cancelled.
    func run() async {
        var number = 0
        while (try? await Task.sleep(for: Self.round)) != nil {
            number += 1
            let guests = state.withLock { $0.guests }
            for (id, guest) in guests {
                if let fault = fault(of: guest.token) {
                    leave(id)
                    _ = guest.tell(.end(LiveEnd(fault)))
                } else if number % Self.roundsPerPulse == 0, !guest.tell(.pulse) {
                    leave(id)
                }
            }
            if number % Self.roundsPerBlindRead == 0 {
                let blind = state.withLock { state in state.ofAny.compactMap { state.queries[$0] } }
                for query in blind { query.wake(by: nil) }
            }
        }
    }

    private func fault(of token: String?) -> Fault? {
        guard let token else { return nil }
        do {
            _ = try verifier.principal(forBearer: token[...])
            return nil
        } catch {
            return error.fault
        }
    }

    private static func enter(_ query: LiveQuery, _ state: inout State) {
        state.queries[query.key] = query
        guard let relations = query.relations else {
            state.ofAny.insert(query.key)
            return
        }
        for relation in relations { state.ofRelation[relation, default: []].insert(query.key) }
    }

    private static func exit(_ query: LiveQuery, _ state: inout State) {
        guard state.queries[query.key] === query else { return }
        state.queries[query.key] = nil
        state.ofAny.remove(query.key)
        for relation in query.relations ?? [] {
            state.ofRelation[relation]?.remove(query.key)
            if state.ofRelation[relation]?.isEmpty == true { state.ofRelation[relation] = nil }
        }
    }
}
