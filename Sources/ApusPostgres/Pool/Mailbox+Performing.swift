extension Mailbox {
    /// Has the reactor do `work`, and waits. Cancelling the task withdraws it, unless `isShielded`.
    func perform(
        _ work: Submission.Work, session: SessionID? = nil, timeout: Duration? = nil, isNewWork: Bool = false,
        isShielded: Bool = false
    ) async -> Result<[Rows], PostgresFault> {
        await performing(
            work, session: session, timeout: timeout, isNewWork: isNewWork, isShielded: isShielded
        )
        .result
    }

    /// The same, and the submission itself, for what it has copied.
    func performing(
        _ work: Submission.Work, session: SessionID?, timeout: Duration? = nil, isNewWork: Bool = false,
        isShielded: Bool = false
    ) async -> (result: Result<[Rows], PostgresFault>, submission: Submission) {
        let reply = Reply()
        let submission = Submission(
            work, session: session, timeout: timeout?.inNanoseconds, mailbox: self,
            completion: { reply.give($0) })
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                reply.expect(continuation)
                if !post(.submit(submission), isNewWork: isNewWork) {
                    reply.give(.failure(PostgresFault(.shutdown, "The database driver has been stopped.")))
                }
            }
        } onCancel: {
            if !isShielded { submission.cancel() }
        }
        return (reply.answer, submission)
    }
}
