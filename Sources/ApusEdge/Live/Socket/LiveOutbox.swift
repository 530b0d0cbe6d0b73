import Synchronization

/// Events on their way to one connection: they come from any thread and leave together on the connection's event loop.
final class LiveOutbox: Sendable {
    struct Item: Sendable {
        var follow: String
        var serial: UInt64
        var event: LiveEvent
    }

    private struct State {
        var items: [Item] = []
        var isScheduled = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let schedule: @Sendable () -> Void

    /// - Parameter schedule: has ``take()`` called soon, on the event loop.
    init(_ schedule: @escaping @Sendable () -> Void) { self.schedule = schedule }

    /// False when nobody takes anything any more.
    func put(_ item: Item) -> Bool {
        let (isOpen, isFirst) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.items.append(item)
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        if isFirst { schedule() }
        return isOpen
    }

    func take() -> [Item] {
        state.withLock { state in
            state.isScheduled = false
            defer { state.items = [] }
            return state.items
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.items = []
        }
    }
}
