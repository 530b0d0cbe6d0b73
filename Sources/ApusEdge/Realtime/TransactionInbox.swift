import ApusRealtime
import Dispatch
import Synchronization

/// Hands events from the feed's queue to the task that delivers them, many at once when they come fast. Bounded: a
/// full inbox holds up its own queue of the feed, never the feed itself, which tells those who fall out of its log.
final class TransactionInbox: Sendable {
    private struct State {
        var events: [FeedEvent] = []
        var bytes = 0
        var isClosed = false
        var waiting: CheckedContinuation<[FeedEvent]?, Never>?
        var isFull = false
    }

    private static let limit = 16 << 20

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)

    func put(_ event: FeedEvent) {
        let (waiting, isFull) = state.withLock { state -> (CheckedContinuation<[FeedEvent]?, Never>?, Bool) in
            if state.isClosed { return (nil, false) }
            if let waiting = state.waiting {
                state.waiting = nil
                return (waiting, false)
            }
            state.events.append(event)
            if case .transaction(let transaction) = event { state.bytes += transaction.byteCount }
            state.isFull = state.bytes > Self.limit
            return (nil, state.isFull)
        }
        waiting?.resume(returning: [event])
        if isFull { room.wait() }
    }

    /// What has come, or comes next; nil when the inbox was closed.
    func take() async -> [FeedEvent]? {
        await withCheckedContinuation { continuation in
            let (events, wasFull): ([FeedEvent]??, Bool) = state.withLock { state in
                if state.isClosed { return (.some(nil), false) }
                if state.events.isEmpty {
                    state.waiting = continuation
                    return (nil, false)
                }
                let wasFull = state.isFull
                let events = state.events
                (state.events, state.bytes, state.isFull) = ([], 0, false)
                return (events, wasFull)
            }
            if wasFull { room.signal() }
            if let events { continuation.resume(returning: events) }
        }
    }

    func close() {
        let (waiting, wasFull) = state.withLock { state in
            state.isClosed = true
            defer { (state.waiting, state.isFull) = (nil, false) }
            return (state.waiting, state.isFull)
        }
        if wasFull { room.signal() }
        waiting?.resume(returning: nil)
    }
}
