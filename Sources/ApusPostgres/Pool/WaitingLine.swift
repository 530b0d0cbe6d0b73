import DequeModule

/// Submissions that wait, first come first served. Those that gave up stay until they are met, or until
/// they are most of the line.
struct WaitingLine {
    private var line: Deque<Submission> = []
    private var leavers = 0

    /// How many really wait.
    var count: Int { line.count - leavers }

    var first: Submission? {
        mutating get {
            while let head = line.first {
                if head.stage == .waiting { return head }
                line.removeFirst()
                leavers -= 1
            }
            return nil
        }
    }

    mutating func append(_ submission: Submission) {
        submission.stage = .waiting
        line.append(submission)
    }

    /// To the front: it has waited before.
    mutating func prepend(_ submission: Submission) {
        submission.stage = .waiting
        line.prepend(submission)
    }

    mutating func removeFirst() { line.removeFirst() }

    /// A member's stage has just become another one.
    mutating func left() {
        leavers += 1
        if leavers > 64 + line.count / 2 {
            line.removeAll { $0.stage != .waiting }
            leavers = 0
        }
    }

    /// Those who wait now.
    var waiting: [Submission] { line.filter { $0.stage == .waiting } }
}
