/// The way between one event loop and the reactor: what the loop submits in one turn goes over together, and what the
/// reactor has answered in one of its turns comes back together. So a turn costs one wake-up, however many requests
/// it brought.
///
/// Sendable: ``outgoing`` belongs to the event loop, on which ``submit(_:deadline:completion:)`` has to be called;
/// ``answered`` belongs to the reactor's thread.
package final class Lane: @unchecked Sendable {
    private let mailbox: Mailbox
    /// Has the event loop run something, after what it is doing now.
    private let execute: @Sendable (@escaping @Sendable () -> Void) -> Void
    private var outgoing: [ReactorCommand] = []
    var answered: [Submission] = []

    init(mailbox: Mailbox, execute: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
        self.mailbox = mailbox
        self.execute = execute
    }

    /// As ``Database/submit(_:deadline:completion:)``, with `completion` called on the event loop.
    @discardableResult
    package func submit(
        _ trip: RoundTrip, deadline: ContinuousClock.Instant? = nil,
        completion: @escaping @Sendable (Result<[Rows], PostgresFault>) -> Void
    ) -> Submission {
        let submission = Submission(
            .trip(trip), deadline: deadline.map { MonotonicTime($0) } ?? .never, mailbox: mailbox, lane: self,
            completion: completion)
        outgoing.append(.submit(submission))
        if outgoing.count == 1 { execute { self.flush() } }
        if outgoing.count == Self.enough { flush() }
        return submission
    }

    /// What was submitted goes over now.
    package func flush() {
        if outgoing.isEmpty { return }
        if !mailbox.post(newWork: outgoing) {
            for case .submit(let submission) in outgoing {
                submission.completion(.failure(ReactorThread.stopped))
            }
        }
        outgoing.removeAll(keepingCapacity: true)
    }

    // MARK: - The reactor's thread

    /// Hands over what was answered.
    func deliver() {
        let batch = answered
        answered = []
        execute { for submission in batch { submission.complete() } }
    }

    // MARK: - Non public

    /// So many go over before the turn ends: when all requests moved together, the loop, the reactor and the database
    /// would only take turns.
    private static let enough = 8
}
