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

    private struct Result: Sendable {
        var rows: LiveRows
        var id: String
        var hash: UInt64
    }

    private struct State {
        var followers: [UInt64: Follower] = [:]
        var current: Result?
        var isReading = false
        var isDirty = false
        var lastRead = ContinuousClock.now - .seconds(1)
        var witness = RowDifference.Witness()
        /// The last events with the id before each, for those who come back.
        var history: [(before: String, event: LiveEvent, bytes: Int)] = []
        /// A result was put off, until the feed has said why rows came or went.
        var hasPutOff = false
        var isOver = false
    }

    let key: [UInt8]
    /// nil: any change of any table.
    let relations: [UInt32]?
    private let rowKey: [String]?
    private let witnessed: (relation: UInt32, columns: [String])?
    private let clock: RelationClock
    private let read: @Sendable (@escaping @Sendable (Swift.Result<[UInt8], Fault>) -> Void) -> Void
    private let state = Mutex(State())

    /// The shortest time between two reads.
    private static let pause = Duration.milliseconds(10)
    private static let retryPause = Duration.seconds(1)
    /// How long a result waits, once, for the feed that lags behind what it shows.
    private static let explanationPause = Duration.milliseconds(20)
    private static let historyBytes = 1 << 20

    /// - Parameters:
    ///   - rowKey: names of the members that tell rows apart.
    ///   - witnessed: the table that the rows come from, with its key's columns.
    ///   - read: asks the database; the answer's body.
    init(
        key: [UInt8], relations: [UInt32]?, rowKey: [String]?,
        witnessed: (relation: UInt32, columns: [String])?, clock: RelationClock,
        read: @escaping @Sendable (@escaping @Sendable (Swift.Result<[UInt8], Fault>) -> Void) -> Void
    ) {
        self.key = key
        self.relations = relations
        self.rowKey = rowKey
        self.witnessed = witnessed
        self.clock = clock
        self.read = read
    }

    // MARK: - Followers

    /// False when the query is over, and another one has to be made.
    func add(_ follower: Follower) -> Bool {
        let (isAdded, isKnown) = state.withLock { state -> (Bool, Bool) in
            if state.isOver { return (false, false) }
            var follower = follower
            if let current = state.current, !state.isReading {
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
        if let transaction, let witnessed {
            state.withLock { state in
                for change in transaction.changes where change.relation.oid == witnessed.relation {
                    Self.note(change, witnessed.columns, &state.witness)
                }
            }
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
        if delay == .zero { return ask() }
        Task {
            try? await Task.sleep(for: delay)
            self.ask()
        }
    }

    private func ask() {
        let reading = clock.reading()
        state.withLock { $0.isDirty = false }
        read { [self] result in receive(result, reading) }
    }

    private func receive(_ result: Swift.Result<[UInt8], Fault>, _ reading: RelationClock.Reading?) {
        switch result {
        case .failure(let fault):
            if fault.kind == .unavailable || fault.kind == .timeout {
                // The database is away for a moment: what is known stays true as far as anybody knows.
                return start(after: Self.retryPause)
            }
            end(LiveEnd(fault))
        case .success(let body):
            guard take(body, reading) else { return start(after: Self.explanationPause) }
            let isSettled = reading.map { reading in
                relations.map { clock.isUnchanged($0, since: reading) } ?? true
            }
            let mustRepeat = state.withLock { state -> Bool in
                state.lastRead = .now
                if state.isOver { return false }
                if state.isDirty || isSettled == false { return true }
                state.isReading = false
                return false
            }
            if mustRepeat { start(after: isSettled == false ? .milliseconds(1) : Self.pause) }
        }
    }

    /// Tells everybody what is new; false when the result is put off.
    private func take(_ body: [UInt8], _ reading: RelationClock.Reading?) -> Bool {
        var hash = ContentHash()
        hash.add(body)
        let value = hash.finish()
        return state.withLock { state in
            if state.current?.hash != value || state.current?.rows.body != body {
                let id = Self.id(reading, value)
                let result = Result(rows: LiveRows(body: body, key: rowKey), id: id, hash: value)
                if witnessed != nil, !state.hasPutOff, !state.isOver, let before = state.current,
                    !RowDifference.isExplained(from: before.rows, to: result.rows, state.witness)
                {
                    state.hasPutOff = true
                    return false
                }
                state.hasPutOff = false
                if let before = state.current { Self.tellChange(from: before, to: result, &state) }
                state.current = result
                state.witness = .init()
            }
            guard let current = state.current else { return true }
            for (id, follower) in state.followers where !follower.isCurrent {
                state.followers[id]?.isCurrent = true
                Self.welcome(follower, current, state.history)
            }
            return true
        }
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
        state.history.append((before.id, event, bytes))
        var sum = state.history.reduce(0) { $0 + $1.bytes }
        while let first = state.history.first, sum > historyBytes || state.history.count > 256 {
            sum -= first.bytes
            state.history.removeFirst()
        }
    }

    /// Brings a follower to the current result: by nothing, by the events that it missed, or by all of it.
    private static func welcome(
        _ follower: Follower, _ current: Result, _ history: [(before: String, event: LiveEvent, bytes: Int)]
    ) {
        if let last = follower.lastEventID {
            if last == current.id || hash(in: last) == current.hash {
                _ = follower.tell(.resumed(id: current.id))
                return
            }
            if let start = history.firstIndex(where: { $0.before == last }) {
                for entry in history[start...] { _ = follower.tell(entry.event) }
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

    private static func note(_ change: RowChange, _ key: [String], _ witness: inout RowDifference.Witness) {
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
        switch change.kind {
        case .insert: if let key = texts(change.new) { witness.saw(insertOf: key) }
        case .delete: if let key = texts(change.old) { witness.saw(deleteOf: key) }
        case .update: if let key = texts(change.new) { witness.saw(updateOf: key) }
        case .truncate: break
        }
    }
}
