import ApusPostgres
import Dispatch
import Synchronization

/// One subscriber's place in the log, and the queue on which it hears.
final class FeedReader: Sendable {
    private struct Place: Sendable {
        /// Of the next entry.
        var number: UInt64
        var breaks: UInt64
        /// The last that was said.
        var caughtUp: LSN?
        /// Whether the log had a start when this was last looked at.
        var hasStarted: Bool
    }

    /// What there is to say at once.
    private enum Step {
        case nothing
        case startAfresh(UInt64)
        case transactions(ArraySlice<FeedTransaction>)
        case caughtUp(LSN)
    }

    /// A batch under one lock; small, so that a slow reader does not keep much alive that the log has dropped.
    private static let batch = 32
    private static let batchBytes = 2 << 20

    private unowned let log: FeedLog
    private let queue = DispatchQueue(label: "apus.feed.reader", qos: .userInitiated)
    private let isScheduled = Atomic(false)
    private let isStopped = Atomic(false)
    /// Touched by the queue's work alone; locked for the compiler's sake.
    private let place: Locked<Place>
    private let receive: @Sendable (FeedEvent) -> Void

    init(
        log: FeedLog, number: UInt64, breaks: UInt64, hasStarted: Bool,
        _ receive: @escaping @Sendable (FeedEvent) -> Void
    ) {
        self.log = log
        place = Locked(Place(number: number, breaks: breaks, caughtUp: nil, hasStarted: hasStarted))
        self.receive = receive
    }

    /// Something may be there to read.
    func wake() {
        guard !isScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // The log is kept while it is being read.
        queue.async { [log] in
            self.isScheduled.store(false, ordering: .sequentiallyConsistent)
            withExtendedLifetime(log) { self.drain() }
        }
    }

    func stop() { isStopped.store(true, ordering: .releasing) }

    private func drain() {
        while !isStopped.load(ordering: .acquiring) {
            switch place.withLock({ step(&$0) }) {
            case .nothing: return
            case .startAfresh(let epoch): receive(.epochChanged(epoch))
            case .caughtUp(let lsn): receive(.caughtUp(lsn))
            case .transactions(let transactions):
                for transaction in transactions where !isStopped.load(ordering: .acquiring) {
                    receive(.transaction(transaction))
                }
            }
        }
    }

    /// Takes the next step and moves on.
    private func step(_ place: inout Place) -> Step {
        log.state.withLock { state in
            let recent = state.recent
            guard let start = recent.start else { return .nothing }
            if !place.hasStarted {
                // The first start says which epoch it is; there was nothing before it.
                place.hasStarted = true
                place.breaks = recent.breaks
                place.number = recent.firstNumber
                return .startAfresh(start.epoch)
            }
            if place.breaks != recent.breaks || place.number < recent.firstNumber {
                place.number = place.breaks != recent.breaks ? recent.firstNumber : recent.endNumber
                place.breaks = recent.breaks
                place.caughtUp = nil
                return .startAfresh(start.epoch)
            }
            let transactions = recent.entries(from: place.number, limit: Self.batch, bytes: Self.batchBytes)
            if !transactions.isEmpty {
                place.number += UInt64(transactions.count)
                return .transactions(transactions)
            }
            guard place.caughtUp.map({ $0 < recent.caughtUp }) ?? true else { return .nothing }
            place.caughtUp = recent.caughtUp
            return .caughtUp(recent.caughtUp)
        }
    }
}
