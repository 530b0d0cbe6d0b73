import Synchronization

/// Lets others wait until something was tried once, whether it worked or not.
final class FirstAttempt: Sendable {
    private enum State {
        case pending([CheckedContinuation<Void, Never>])
        case done
    }

    private let state = Mutex(State.pending([]))

    /// It was tried.
    func finish() {
        let waiting: [CheckedContinuation<Void, Never>] = state.withLock { state in
            guard case .pending(let waiting) = state else { return [] }
            state = .done
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when it was tried.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                guard case .pending(var waiting) = state else { return true }
                waiting.append(continuation)
                state = .pending(waiting)
                return false
            }
            if isDone { continuation.resume() }
        }
    }
}
