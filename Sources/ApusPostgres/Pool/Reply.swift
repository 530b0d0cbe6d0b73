/// Brings a submission's answer to the task that waits for it.
///
/// The answer lies under the lock, and the task fetches it there after it was woken: so the lock, and not
/// only the runtime's own order, hands the reactor's memory over, which the thread sanitizer can follow.
final class Reply: Sendable {
    typealias Answer = Result<[Rows], PostgresFault>

    private enum State {
        case new
        case waiting(CheckedContinuation<Void, Never>)
        case answered(Answer)
    }

    private let state = Locked(State.new)

    /// The task to wake; before the submission is posted.
    func expect(_ continuation: CheckedContinuation<Void, Never>) {
        state.withLock { $0 = .waiting(continuation) }
    }

    /// Wakes the task. The first answer counts.
    func give(_ answer: Answer) {
        let continuation: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard case .waiting(let continuation) = state else { return nil }
            state = .answered(answer)
            return continuation
        }
        continuation?.resume()
    }

    /// What was given; for the task, once it was woken.
    var answer: Answer {
        state.withLock { state in
            if case .answered(let answer) = state { return answer }
            return .failure(PostgresFault(.protocol, "The driver gave no answer."))
        }
    }
}
