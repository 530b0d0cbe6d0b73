/// An event that happens once and that tasks can wait for: the reactor's end.
final class Termination: Sendable {
    private enum State {
        case running([CheckedContinuation<Void, Never>])
        case ended
    }

    private let state = Locked(State.running([]))

    func signal() {
        let waiters = state.withLock { state in
            guard case .running(let waiters) = state else { return [CheckedContinuation<Void, Never>]() }
            state = .ended
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns at once when it has happened already.
    func wait() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                guard case .running(let waiters) = state else { return true }
                state = .running(waiters + [continuation])
                return false
            }
            if hasEnded { continuation.resume() }
        }
    }
}
