import ApusFaults
import ApusRealtime
import ApusTokens
import Synchronization

/// What became of somebody who wants to follow a read.
enum LivePlace: Sendable, Equatable {
    /// ``LiveBoard/leave(_:)`` takes the number.
    case taken(UInt64)
    /// Too many streams are open.
    case full
    /// The schema has changed since the read was understood.
    case outdated
}

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
        var ofID: [UInt64: LiveQuery] = [:]
        /// Queries of which it is not known what they read, or which read what the feed does not bring.
        var ofAny: Set<UInt64> = []
        /// Queries whose results nobody can vouch for now.
        var stalled: Set<UInt64> = []
        var guests: [UInt64: Guest] = [:]
        /// Of reads that nobody follows now.
        var memories = LiveMemories()
        /// Grows with each change of the schema.
        var version: UInt64 = 0
        /// Why nothing can be followed any more.
        var end: LiveEnd?
    }

    private let clock: RelationClock
    private let verifier: TokenVerifier
    private let limit: Int
    private let concerns = ConcernIndex()
    private let state = Mutex(State())

    init(clock: RelationClock, verifier: TokenVerifier, limit: Int) {
        self.clock = clock
        self.verifier = verifier
        self.limit = limit
    }

    /// Streams that are open.
    var count: Int { state.withLock { $0.guests.count } }

    /// Of the schema that reads which are followed were understood by.
    var version: UInt64 { state.withLock { $0.version } }

    // MARK: - Waiting for one change

    /// No table has this object id.
    private static let anyRelation: UInt32 = 0

    /// - Parameter relations: nil for all that the feed brings.
    func watch(_ relations: [UInt32]?, _ action: @escaping @Sendable () -> Void) -> Watch {
        let relations = relations ?? [Self.anyRelation]
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
    ///   - version: of the board, before the read was understood.
    ///   - token: the follower's; the stream ends when it does not hold any more.
    ///   - make: what is asked, if nobody follows it yet; gets a number of its own.
    func follow(
        _ key: [UInt8], version: UInt64, token: String?, lastEventID: String?,
        tell: @escaping @Sendable (LiveEvent) -> Bool, make: (UInt64) -> LiveQuestion
    ) -> LivePlace {
        while true {
            let (place, joined) = state.withLock { state -> (LivePlace, (query: LiveQuery?, end: LiveEnd?)) in
                state.lastID += 1
                if let end = state.end { return (.taken(state.lastID), (nil, end)) }
                // It would stay as it is, and hear of no change of the schema that has happened.
                guard state.version == version else { return (.outdated, (nil, nil)) }
                guard state.guests.count < limit else { return (.full, (nil, nil)) }
                let query = state.queries[key] ?? enter(make(state.lastID), &state)
                state.guests[state.lastID] = Guest(query: query, token: token, tell: tell)
                return (.taken(state.lastID), (query, nil))
            }
            if let end = joined.end { _ = tell(.end(end)) }
            guard case .taken(let id) = place, let query = joined.query else { return place }
            if query.add(.init(id: id, tell: tell, lastEventID: lastEventID)) { return place }
            // It ended at this moment; the next round makes another.
            state.withLock { state in
                state.guests[id] = nil
                exit(query, &state)
            }
        }
    }

    func leave(_ id: UInt64) {
        guard let guest = state.withLock({ $0.guests.removeValue(forKey: id) }) else { return }
        guard guest.query.remove(id) else { return }
        let memory = guest.query.memory
        state.withLock { state in
            guard exit(guest.query, &state), state.end == nil, let memory else { return }
            state.memories.insert(memory, for: guest.query.question.key)
        }
    }

    /// - Parameter isFinal: whether nothing can be followed afterwards.
    func endAll(_ end: LiveEnd, isFinal: Bool = false) {
        let queries = state.withLock { state in
            state.version += 1
            if isFinal { state.end = end }
            let queries = state.queries.values.map { $0 }
            for query in queries { exit(query, &state) }
            state.guests = [:]
            state.memories = LiveMemories()
            return queries
        }
        for query in queries { query.end(end) }
    }

    // MARK: - Waking

    func wake(by transaction: FeedTransaction) {
        guard !transaction.changes.isEmpty else { return }
        var relations: Set<UInt32> = []
        for change in transaction.changes { relations.insert(change.relation.oid) }
        let outcome = concerns.outcome(of: transaction)
        let (watches, queries, blinded) = state.withLock { state -> ([Watch], [LiveQuery], [LiveQuery]) in
            var watches: [Watch] = []
            for relation in relations.union([Self.anyRelation]) {
                if let found = state.watches[relation] { watches += found.values }
            }
            let ids = outcome.concerned.union(state.ofAny)
            return (
                watches, ids.compactMap { state.ofID[$0] }, outcome.blinded.compactMap { state.ofID[$0] }
            )
        }
        for watch in watches { watch.fire() }
        for query in queries { query.wake(by: transaction) }
        for query in blinded { query.lookAgain() }
    }

    /// Continuity is lost.
    func wakeAll() {
        concerns.forget()
        let (watches, queries) = state.withLock { state in
            (state.watches.values.flatMap { $0.values }, Array(state.queries.values))
        }
        for watch in watches { watch.fire() }
        for query in queries { query.wake(by: nil) }
    }

    /// Whoever waits for a change is answered now.
    func endWatches() {
        for watch in state.withLock({ state in state.watches.values.flatMap { $0.values } }) { watch.fire() }
    }

    // MARK: - Looking after

    private static let round = Duration.milliseconds(400)
    private static let roundsPerPulse = 37
    private static let roundsPerBlindRead = 25

    /// Ends streams whose tokens do not hold any more, lets connections know that they live, and asks reads again of
    /// which it is not known what they depend on. Until cancelled.
    func run() async {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        // The rounds are for tokens that expire; who is signed out does not wait for one.
        let stop = verifier.onSessionsEnd { signal.yield() }
        defer { stop() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { self.endInvalid(pulse: false) } }
            group.addTask { await self.goRound() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Ends the streams of tokens that do not hold; lets the others know that the connection lives.
    private func endInvalid(pulse isTimeForPulse: Bool) {
        for (id, guest) in state.withLock({ $0.guests }) {
            if let fault = fault(of: guest.token) {
                leave(id)
                _ = guest.tell(.end(LiveEnd(fault)))
            } else if isTimeForPulse, !guest.tell(.pulse) {
                leave(id)
            }
        }
    }

    private func goRound() async {
        var number = 0
        while (try? await Task.sleep(for: Self.round)) != nil {
            number += 1
            endInvalid(pulse: number % Self.roundsPerPulse == 0)
            state.withLock { $0.memories.removeOld() }
            let mayLookAgain = number % Self.roundsPerBlindRead == 0
            for query in queriesToAsk(mayLookAgain) { query.wake(by: nil) }
        }
    }

    /// Those whose results nobody could vouch for, if now somebody can; and now and then those of which it is not known what
    /// they read, or whose tables the feed does not bring.
    private func queriesToAsk(_ isTimeForAll: Bool) -> [LiveQuery] {
        let (stalled, all) = state.withLock { state in
            (state.stalled.compactMap { state.ofID[$0] }, isTimeForAll ? Array(state.queries.values) : [])
        }
        let heard = clock.reading() == nil ? [] : stalled.filter(\.isHeard)
        state.withLock { state in
            for query in heard {
                state.stalled.remove(query.question.id)
                state.ofAny.remove(query.question.id)
            }
        }
        return heard + all.filter { !$0.isHeard }
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

    private func enter(_ question: LiveQuestion, _ state: inout State) -> LiveQuery {
        let memory = state.memories.take(question.key)
        let query = LiveQuery(question, concerns: concerns, clock: clock, memory: memory) {
            [weak self] query in self?.stall(query)
        }
        state.queries[question.key] = query
        state.ofID[question.id] = query
        if let relations = question.relations {
            concerns.enter(
                question.id, relations: relations,
                subject: question.view == nil ? nil : question.source?.relation
            ) { clock.lastChange(of: relations) }
        } else {
            state.ofAny.insert(question.id)
        }
        return query
    }

    /// Nobody can vouch for its result.
    private func stall(_ query: LiveQuery) {
        let (id, isHeard) = (query.question.id, query.isHeard)
        state.withLock { state in
            guard state.ofID[id] != nil else { return }
            state.stalled.insert(id)
            if !isHeard { state.ofAny.insert(id) }
        }
    }

    /// - Returns: whether it was there.
    @discardableResult
    private func exit(_ query: LiveQuery, _ state: inout State) -> Bool {
        let question = query.question
        guard state.queries[question.key] === query else { return false }
        state.queries[question.key] = nil
        state.ofID[question.id] = nil
        state.ofAny.remove(question.id)
        state.stalled.remove(question.id)
        concerns.leave(question.id)
        return true
    }
}
