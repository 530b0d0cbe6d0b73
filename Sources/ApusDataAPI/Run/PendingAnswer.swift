import ApusPostgres

/// The way to stop what a request asked of the database.
package struct PendingAnswer: Sendable {
    enum Work {
        case alone(Submission)
        case together(GatheredReads)
    }

    let work: Work

    /// Nobody waits for the answer any more. To be called once at the most.
    package func cancel() {
        switch work {
        case .alone(let submission): submission.cancel()
        case .together(let reads): reads.abandonOne()
        }
    }
}
