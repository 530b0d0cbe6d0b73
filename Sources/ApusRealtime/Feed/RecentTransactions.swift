import ApusPostgres
import DequeModule

/// The last transactions of an epoch, bounded in bytes: what a subscriber can resume from.
///
/// Pure; ``FeedLog`` shares it between threads.
struct RecentTransactions: Sendable {
    /// The most that the transactions may take, in bytes. The newest is kept whatever it takes.
    let byteLimit: Int
    private(set) var entries: Deque<FeedTransaction> = []
    private(set) var byteCount = 0
    /// The number of the first entry; entries are counted for as long as the process lives.
    private(set) var firstNumber: UInt64 = 0
    /// All that came after this position is here; nil before the feed knows where it starts.
    private(set) var start: FeedPosition?
    /// The last position seen.
    private(set) var head: FeedPosition?
    /// Everything that committed up to here has been seen.
    private(set) var caughtUp = LSN.zero
    /// How often continuity was broken.
    private(set) var breaks: UInt64 = 0

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// The number that the next entry will have.
    var endNumber: UInt64 { firstNumber + UInt64(entries.count) }

    /// Forgets everything, and starts again after `position`. Subscribers are told to read afresh, unless this
    /// is the first start.
    mutating func restart(at position: FeedPosition) {
        if start != nil { breaks += 1 }
        firstNumber = endNumber
        entries.removeAll()
        byteCount = 0
        start = position
        head = position
        caughtUp = position.lsn
    }

    /// False for what has been seen already.
    mutating func append(_ transaction: FeedTransaction) -> Bool {
        guard let head, transaction.position.epoch == head.epoch, transaction.lastPosition > head else {
            return false
        }
        entries.append(transaction)
        byteCount += transaction.byteCount
        self.head = transaction.lastPosition
        if transaction.isLastPart { caughtUp = max(caughtUp, transaction.endLSN) }
        while byteCount > byteLimit, entries.count > 1 { removeFirst() }
        return true
    }

    /// False when that is known.
    mutating func advance(to lsn: LSN) -> Bool {
        guard lsn > caughtUp else { return false }
        caughtUp = lsn
        return true
    }

    /// The number of the first entry that holds something after `position`; nil when something after it is
    /// not here any more, or is of another epoch.
    func number(after position: FeedPosition) -> UInt64? {
        guard let start, position.epoch == start.epoch, position >= start else { return nil }
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].lastPosition > position { high = middle } else { low = middle + 1 }
        }
        return firstNumber + UInt64(low)
    }

    /// At the most `limit` entries from this number on, which must not be below ``firstNumber``; of more than
    /// `bytes`, the first alone.
    func entries(
        from number: UInt64, limit: Int = .max, bytes: Int = .max
    ) -> ArraySlice<FeedTransaction> {
        let offset = Int(number - firstNumber)
        guard offset < entries.count else { return [] }
        var end = offset
        var size = 0
        while end < entries.count, end - offset < limit,
            end == offset || size + entries[end].byteCount <= bytes
        {
            size += entries[end].byteCount
            end += 1
        }
        return ArraySlice(entries[offset..<end])
    }

    private mutating func removeFirst() {
        let first = entries.removeFirst()
        firstNumber += 1
        byteCount -= first.byteCount
        start = first.lastPosition
    }
}
