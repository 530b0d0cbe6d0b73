import Synchronization

/// Waits for one change of some tables; fires or ends, once.
final class Watch: Sendable {
    private struct State {
        var isOver = false
        var onEnd: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let action: @Sendable () -> Void

    init(_ action: @escaping @Sendable () -> Void) { self.action = action }

    func fire() { if end() { action() } }

    /// Whether it was not over before.
    func end() -> Bool {
        let ends = state.withLock { state -> [@Sendable () -> Void]? in
            guard !state.isOver else { return nil }
            state.isOver = true
            defer { state.onEnd = [] }
            return state.onEnd
        }
        for end in ends ?? [] { end() }
        return ends != nil
    }

    /// Runs when it fires or ends; at once when it is over.
    func onEnd(_ end: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if !state.isOver { state.onEnd.append(end) }
            return state.isOver
        }
        if isOver { end() }
    }
}
