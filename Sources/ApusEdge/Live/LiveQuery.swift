import ApusDataAPI
import ApusFaults
import ApusPostgres
import ApusRealtime
import Synchronization

/// A read that is followed: asked again when something that it reads has changed, once for all who follow it.
///
/// A result is told when it differs from the one before. Changes that come while a read is under way, or soon after one,
/// are answered by one more read.
final class LiveQuery: Sendable {
    /// Somebody who follows.
    struct Follower: Sendable {
        var id: UInt64
        /// False when it cannot be told anything any more.
        var tell: @Sendable (LiveEvent) -> Bool
        /// The event that it heard last, in an earlier connection.
        var lastEventID: String?
        /// It has a result and hears of changes.
        var isCurrent = false
    }

    struct Result: Sendable {
        var rows: LiveRows
        var id: String
        var hash: UInt64
        /// The moment that the newest answer equal to it was asked at.
        var reading: RelationClock.Reading?
    }

    private struct State {
        var followers: [UInt64: Follower] = [:]
        var current: Result?
        var isReading = false
        var isDirty = false
        /// A view is being made, or there is none.
        var isLooking = false
        var lastRead = ContinuousClock.now - .seconds(1)
        var witness = RowDifference.Witness()
        var history = LiveHistory()
        /// The result is of an earlier time, when somebody followed.
        var isRemembered = false
        /// Since when a result is put off, until the feed has said why rows came or went.
        var putOffSince: ContinuousClock.Instant?
        var isOver = false
    }

    let question: LiveQuestion
    private let concerns: ConcernIndex
    private let clock: RelationClock
    private let stall: @Sendable (LiveQuery) -> Void
    private let state: Mutex<State>

    /// The shortest time between two reads.
    private static let pause = Duration.milliseconds(10)
    private static let retryPause = Duration.seconds(1)
    /// How long a result waits for the feed that lags behind what it shows, and after which time it is asked for again.
    private static let explanationPause = Duration.milliseconds(20)
    /// How long it waits at the most where its table alone can be the reason, and the feed has said nothing of it.
    private static let longestExplanation = Duration.seconds(2)
    /// Between a change of what a view is made of and the next one.
    private static let viewPause = Duration.milliseconds(50)

    /// - Parameters:
    ///   - concerns: knows which changes concern it.
    ///   - memory: what was told when it was followed before.
    ///   - stall: called when the feed cannot say whether a result still holds: it does not run, or does not bring a table.
    init(
        _ question: LiveQuestion, concerns: ConcernIndex, clock: RelationClock, memory: LiveMemory? = nil,
        stall: @escaping @Sendable (LiveQuery) -> Void
    ) {
        var state = State()
        if let memory {
            state.current = Result(
                rows: LiveRows(body: memory.body, key: question.rowKey), id: memory.id, hash: memory.hash,
                reading: memory.reading)
            state.history = memory.history
            state.isRemembered = true
        }
        self.state = Mutex(state)
        self.question = question
        self.concerns = concerns
        self.clock = clock
        self.stall = stall
    }

    // MARK: - Followers

    /// False when the query is over, and another one has to be made.
    func add(_ follower: Follower) -> Bool {
        let (isAdded, isKnown) = state.withLock { state -> (Bool, Bool) in
            if state.isOver { return (false, false) }
            var follower = follower
            if let current = state.current, !state.isReading, !state.isRemembered {
                follower.isCurrent = true
                Self.welcome(follower, current, state.history)
            }
            state.followers[follower.id] = follower
            return (true, follower.isCurrent)
        }
        if isAdded, !isKnown { poke() }
        return isAdded
    }

    /// - Returns: whether nobody follows any more; then the query is over.
    func remove(_ id: UInt64) -> Bool {
        state.withLock { state in
            state.followers[id] = nil
            if state.followers.isEmpty { state.isOver = true }
            return state.isOver
        }
    }

    /// What those who come back have heard last; nil when nothing can be said to them but a snapshot.
    var memory: LiveMemory? {
        state.withLock { state in
            guard question.isShared, !state.isRemembered, let current = state.current,
                let reading = current.reading
            else { return nil }
            return LiveMemory(
                body: current.rows.body, id: current.id, hash: current.hash, reading: reading,
                history: state.history)
        }
    }

    func end(_ end: LiveEnd) {
        let followers = state.withLock { state in
            state.isOver = true
            defer { state.followers = [:] }
            return state.followers.values.map { $0 }
        }
        for follower in followers { _ = follower.tell(.end(end)) }
    }

    // MARK: - Reading

    /// Something that it reads may have changed.
    func wake(by transaction: FeedTransaction?) {
        if let transaction, let source = question.source {
            state.withLock { Self.note(transaction, source, &$0) }
        }
        poke()
    }

    private func poke() {
        let delay = state.withLock { state -> Duration? in
            if state.isOver { return nil }
            if state.isReading {
                state.isDirty = true
                return nil
            }
            state.isReading = true
            state.isDirty = false
            return max(.zero, Self.pause - (.now - state.lastRead))
        }
        guard let delay else { return }
        start(after: delay)
    }

    private func start(after delay: Duration) {
        if delay == .zero { return askOnceProven() }
        Task {
            try? await Task.sleep(for: delay)
            self.askOnceProven()
        }
    }

    /// Whether the feed brings every change of all that it reads, so that only some transactions concern it.
    var isHeard: Bool { question.relations.map { clock.covers($0) } ?? false }

    /// What an answer has to show that is asked for now.
    private var due: LSN { isHeard ? concerns.lastConcern(of: question.id) : clock.lastHeard }

    /// Asks as soon as the answer is sure to show what is known to concern it. PostgreSQL tells the feed of a commit a
    /// moment before others see it; one proof serves all reads, so waiting for it saves each of them a second question.
    private func askOnceProven() {
        let due = due
        guard let reading = clock.reading(), reading.position < due else { return ask() }
        Task {
            for _ in 0..<200 {
                try? await Task.sleep(for: .milliseconds(1))
                guard let reading = clock.reading(), reading.position < due else { break }
            }
            self.ask()
        }
    }

    private func ask() {
        recall()
        let reading = clock.reading()
        state.withLock { $0.isDirty = false }
        question.ask { [self] result in receive(result, reading) }
    }

    /// Takes what it remembers for the result before the next one, if the log still says what has happened since.
    private func recall() {
        let remembered = state.withLock { state -> RelationClock.Reading?? in
            state.isRemembered ? .some(state.current?.reading) : nil
        }
        guard let remembered else { return }
        let missed = remembered.flatMap { clock.transactions(since: $0) }
        state.withLock { state in
            state.isRemembered = false
            guard let missed else {
                state.current = nil
                state.history = LiveHistory()
                return
            }
            guard let source = question.source else { return }
            for transaction in missed { Self.note(transaction, source, &state) }
        }
    }

    private static func note(
        _ transaction: FeedTransaction, _ source: (relation: UInt32, key: [String]), _ state: inout State
    ) {
        for change in transaction.changes where change.relation.oid == source.relation {
            state.witness.note(change, key: source.key)
        }
    }

    private func receive(_ result: Swift.Result<[UInt8], Fault>, _ reading: RelationClock.Reading?) {
        switch result {
        case .failure(let fault):
            if fault.isTransient {
                // The database is away for a moment: what is known stays true as far as anybody knows.
                return start(after: Self.retryPause)
            }
            end(LiveEnd(fault))
        case .success(let body):
            guard let keys = take(body, reading) else { return start(after: Self.explanationPause) }
            let isSettled = settle(keys, reading)
            let mustRepeat = state.withLock { state -> Bool in
                state.lastRead = .now
                if state.isOver { return false }
                if state.isDirty || !isSettled { return true }
                state.isReading = false
                return false
            }
            if !mustRepeat { return look() }
            if isSettled { start(after: Self.pause) } else { askOnceProven() }
        }
    }

    /// Whether the result shows all that is known to concern it.
    private func settle(_ keys: Keys, _ reading: RelationClock.Reading?) -> Bool {
        guard let relations = question.relations else { return true }
        guard let reading else {
            // Without a feed nobody can say; asked again when it is back.
            stall(self)
            return true
        }
        guard clock.hears(relations, since: reading) else {
            if clock.covers(relations) {
                clock.requestProgress()
                return false
            }
            stall(self)
            return true
        }
        return concerns.settle(question.id, keys: keys.set, at: reading.position)
    }

    /// Keys of the rows of a result; none where rows cannot be told apart.
    private struct Keys {
        var set: Set<RowKey>?

        init(_ rows: LiveRows) {
            set = rows.rows.map { rows in Set(rows.map { row in RowKey(row.keyTexts.map { Array($0.utf8) }) })
            }
        }
    }

    /// Tells everybody what is new; nil when the result is put off.
    private func take(_ body: [UInt8], _ reading: RelationClock.Reading?) -> Keys? {
        var hash = ContentHash()
        hash.add(body)
        let value = hash.finish()
        return state.withLock { state in
            if state.current?.hash != value || state.current?.rows.body != body {
                let result = Result(
                    rows: LiveRows(body: body, key: question.rowKey), id: Self.id(reading, value),
                    hash: value, reading: reading)
                if let source = question.source, !state.isOver, let before = state.current,
                    !RowDifference.isExplained(from: before.rows, to: result.rows, state.witness)
                {
                    let since = state.putOffSince ?? .now
                    // Where the table alone decides, and nothing was heard of it yet, the feed is behind.
                    let isBehind = question.relations == [source.relation] && state.witness.isEmpty
                    if .now - since < (isBehind ? Self.longestExplanation : Self.explanationPause) {
                        state.putOffSince = since
                        return nil
                    }
                }
                state.putOffSince = nil
                if let before = state.current { Self.tellChange(from: before, to: result, &state) }
                state.current = result
                state.witness = .init()
            } else {
                state.current?.reading = reading
            }
            guard let current = state.current else { return Keys(LiveRows(body: body, key: nil)) }
            for (id, follower) in state.followers where !follower.isCurrent {
                state.followers[id]?.isCurrent = true
                Self.welcome(follower, current, state.history)
            }
            return Keys(current.rows)
        }
    }

    // MARK: - Looking through a view

    /// What its view was made of has changed, or continuity was lost.
    func lookAgain() {
        Task {
            try? await Task.sleep(for: Self.viewPause)
            look()
        }
    }

    /// Finds out which rows its table may show it, if the process can judge them. Until then, and without, every change of
    /// the table has it read again.
    private func look() {
        guard question.view != nil, isHeard, concerns.needsView(question.id) else { return }
        let isFirst = state.withLock { state in
            defer { state.isLooking = true }
            return !state.isLooking && !state.isOver
        }
        guard isFirst else { return }
        Task {
            let mayTryAgain = await makeView()
            state.withLock { $0.isLooking = !mayTryAgain }
        }
    }

    /// - Returns: whether another time it may turn out otherwise.
    private func makeView() async -> Bool {
        for _ in 0..<5 {
            let mark = concerns.mark(of: question.id)
            guard let relations = question.relations, let reading = clock.reading() else { return true }
            let view: LiveView?
            do {
                view = try await question.view?()
            } catch {
                return true
            }
            guard let view else { return false }
            if clock.hears(relations, since: reading), clock.isUnchanged(Array(view.sources), since: reading),
                concerns.look(question.id, through: view, key: question.viewKey, mark: mark)
            {
                // The result that is there may do already.
                if let current = state.withLock({ $0.current }), let reading = current.reading,
                    clock.hears(relations, since: reading)
                {
                    _ = concerns.settle(question.id, keys: Keys(current.rows).set, at: reading.position)
                }
                return true
            }
            try? await Task.sleep(for: Self.viewPause)
        }
        return true
    }

    // MARK: - Non public

    private static func tellChange(from before: Result, to result: Result, _ state: inout State) {
        var event = LiveEvent.snapshot(id: result.id, rows: result.rows.body)
        var bytes = result.rows.body.count
        if let difference = RowDifference(from: before.rows, to: result.rows, state.witness),
            difference.changes.count < max(bytes, 512)
        {
            event = .changes(id: result.id, changes: difference.changes)
            bytes = difference.changes.count
        }
        for follower in state.followers.values where follower.isCurrent { _ = follower.tell(event) }
        state.history.append(event, after: before.id, bytes: bytes)
    }

    /// Brings a follower to the current result: by nothing, by the events that it missed, or by all of it.
    private static func welcome(_ follower: Follower, _ current: Result, _ history: LiveHistory) {
        if let last = follower.lastEventID {
            if last == current.id || hash(in: last) == current.hash {
                _ = follower.tell(.resumed(id: current.id))
                return
            }
            if let missed = history.events(after: last) {
                for event in missed { _ = follower.tell(event) }
                return
            }
        }
        _ = follower.tell(.snapshot(id: current.id, rows: current.rows.body))
    }

    /// Epoch and position of the feed at which the result held, and what it was.
    private static func id(_ reading: RelationClock.Reading?, _ hash: UInt64) -> String {
        let parts = [reading?.epoch ?? 0, reading?.position.value ?? 0, hash]
        return parts.map { String($0, radix: 16) }.joined(separator: "-")
    }

    private static func hash(in id: String) -> UInt64? {
        let parts = id.split(separator: "-")
        return parts.count == 3 ? UInt64(parts[2], radix: 16) : nil
    }
}

extension RowDifference.Witness {
    /// - Parameter key: names of the columns that tell rows apart.
    mutating func note(_ change: RowChange, key: [String]) {
        func texts(_ row: [FeedValue]?) -> [String]? {
            guard let row else { return nil }
            var texts: [String] = []
            for name in key {
                guard let index = change.relation.columnIndex(name), row.indices.contains(index),
                    case .text(let text) = row[index]
                else { return nil }
                texts.append(String(decoding: text, as: UTF8.self))
            }
            return texts
        }
        sawChange()
        switch change.kind {
        case .insert: if let key = texts(change.new) { saw(insertOf: key) }
        case .delete: if let key = texts(change.old) { saw(deleteOf: key) }
        case .update: if let key = texts(change.new) { saw(updateOf: key) }
        case .truncate: break
        }
    }
}
