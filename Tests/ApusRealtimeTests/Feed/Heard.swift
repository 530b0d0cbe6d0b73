import ApusPostgres
import ApusRealtime
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a subscriber heard.
final class Heard: Sendable {
    private let events = Locked<[FeedEvent]>([])

    func add(_ event: FeedEvent) { events.withLock { $0.append(event) } }

    var all: [FeedEvent] { events.withLock { $0 } }

    var transactions: [FeedTransaction] {
        all.compactMap { if case .transaction(let transaction) = $0 { transaction } else { nil } }
    }
    var lsns: [UInt64] { transactions.map(\.position.lsn.value) }
    var changes: [RowChange] { transactions.flatMap(\.changes) }
    var messages: [LogicalMessage] { transactions.flatMap(\.messages) }
    var epochs: [UInt64] { all.compactMap { if case .epochChanged(let epoch) = $0 { epoch } else { nil } } }
    var caughtUp: LSN? {
        all.reversed().lazy.compactMap { if case .caughtUp(let lsn) = $0 { lsn } else { nil } }.first
    }

    /// Waits until it holds; gives up after a minute.
    func until(_ condition: (Heard) -> Bool) async {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition(self), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// Lets threads pass while it is open.
final class Gate: Sendable {
    private let isClosed = Atomic(false)
    func close() { isClosed.store(true, ordering: .releasing) }
    func open() { isClosed.store(false, ordering: .releasing) }
    func pass() { while isClosed.load(ordering: .acquiring) { usleep(500) } }
}

/// A transaction without changes.
func transaction(_ lsn: UInt64, epoch: UInt64 = 7) -> FeedTransaction {
    FeedTransaction(
        position: FeedPosition(epoch: epoch, lsn: LSN(lsn)), endLSN: LSN(lsn + 1), commitTime: 0, xid: 1,
        fullXID: 1, changes: [])
}
