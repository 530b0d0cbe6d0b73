import Synchronization

/// Brings a submission's answer to the task that waits for it.
final class Reply: Sendable {
    typealias Answer = Result<[Rows], PostgresFault>
    private let continuation = Mutex<CheckedContinuation<Answer, Never>?>(nil)

    func expect(_ continuation: CheckedContinuation<Answer, Never>) {
        self.continuation.withLock { $0 = continuation }
    }

    /// Resumes the task. The first answer counts.
    func give(_ answer: Answer) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(returning: answer)
    }
}
