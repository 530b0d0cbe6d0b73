import ApusFaults
import ApusPostgres
import ApusSQL
import Synchronization

/// Reads of one shape by one caller that came in one turn of an event loop: they become one statement.
///
/// Sendable: ``reads`` belongs to the event loop, as ``DataLane`` does; the rest is behind a lock.
final class GatheredReads: @unchecked Sendable {
    struct Read {
        let request: DataRequest
        let reply: @Sendable (Result<Answer, Fault>) -> Void
        /// Which of the different ones it is; equal ones are asked once.
        fileprivate(set) var question = 0

        init(request: DataRequest, reply: @escaping @Sendable (Result<Answer, Fault>) -> Void) {
            self.request = request
            self.reply = reply
        }
    }

    private struct Stop {
        var submission: Submission?
        var waiting = 0
    }

    let compiled: CompiledRequest
    let gathering: Gathering
    /// What all of their transactions start with: the same role, claims and settings.
    let opening: Opening
    private(set) var reads: [Read] = []
    /// Values of the different ones among them.
    private(set) var questions: [RequestValues] = []
    private let stop = Mutex(Stop())

    init(_ compiled: CompiledRequest, _ gathering: Gathering, _ opening: Opening) {
        self.compiled = compiled
        self.gathering = gathering
        self.opening = opening
    }

    func add(_ read: Read) {
        if reads.isEmpty {
            reads.reserveCapacity(Gathering.most)
            questions.reserveCapacity(Gathering.most)
        }
        var read = read
        let values = read.request.values
        read.question = questions.firstIndex(of: values) ?? questions.count
        if read.question == questions.count { questions.append(values) }
        reads.append(read)
        stop.withLock { $0.waiting += 1 }
    }

    func sent(as submission: Submission) {
        let isUnwanted = stop.withLock { stop in
            stop.submission = submission
            return stop.waiting == 0
        }
        if isUnwanted { submission.cancel() }
    }

    /// There is nothing left to stop. (The submission holds what holds this.)
    func isAnswered() { stop.withLock { $0.submission = nil } }

    /// Somebody waits no longer. The statement is stopped when nobody does.
    func abandonOne() {
        let unwanted = stop.withLock { stop in
            stop.waiting -= 1
            return stop.waiting == 0 ? stop.submission : nil
        }
        unwanted?.cancel()
    }
}
