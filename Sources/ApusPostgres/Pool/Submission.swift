import ApusSQL
import Synchronization

/// Names one session of this process.
struct SessionID: Hashable, Sendable {
    let number: UInt64

    /// A new one.
    init() { number = Self.last.add(1, ordering: .relaxed).newValue }

    private static let last = Atomic<UInt64>(0)
}

/// A piece of work on its way through the driver, and the handle to withdraw it.
///
/// Sendable: the constants are set before it is posted. The variables belong to the reactor's thread alone
/// until it calls ``completion``; ``copied`` is read after that, by who was called.
package final class Submission: @unchecked Sendable {
    enum Work {
        /// On any connection, or on the session's.
        case trip(RoundTrip)
        /// Wait for a connection and check it out under this session's name.
        case checkOut
        case script(String)
        case copyIn(Statement)
        case copyData([UInt8])
        /// Ends the COPY; with a reason, so that it fails.
        case endCopy(String?)
        case copyOut(Statement)
        /// Some rows of the COPY go to ``Submission/copied``; none when it is through.
        case copyNext
    }

    /// Why somebody no longer waits for the answer.
    enum Withdrawal {
        case deadline
        case cancelled
    }

    enum Stage {
        case new
        case waiting
        case inFlight
        case finished
    }

    let work: Work
    let session: SessionID?
    let completion: @Sendable (Result<[Rows], PostgresFault>) -> Void
    /// Where ``completion`` is called; nil: on the reactor's thread.
    let lane: Lane?
    private let givenDeadline: MonotonicTime
    private let timeout: Int64?
    private let mailbox: Mailbox?

    // MARK: - The reactor's

    var stage = Stage.new
    var withdrawal: Withdrawal?
    /// The caller was answered; the work itself may still be in flight.
    var isAnswered = false
    var wasRepeated = false
    var rows: [Rows] = []
    var fault: PostgresFault?
    var copied: [UInt8] = []
    /// What the scheduler was told, in nanoseconds; nil when nothing is known.
    var estimate: Int64?
    /// Whether it waits in the line of slow ones.
    var waitsAsSlow = false
    var sentAt = MonotonicTime(nanoseconds: 0)
    /// The next moment at which the reactor has to look at it.
    var deadline = MonotonicTime.never
    /// The end of the wait for a connection.
    var waitsUntil = MonotonicTime.never
    /// The prepared statement whose execution failed.
    var failedSerial: UInt64?
    /// It was not run, because another trip of its transaction failed.
    var wasSkipped = false
    /// It shares no transaction any more.
    var runsAlone = false
    /// Where it is in flight.
    var connection: PooledConnection?
    /// What became of it; set before ``completion`` is called.
    var result: Result<[Rows], PostgresFault>?

    init(
        _ work: Work, session: SessionID? = nil, deadline: MonotonicTime = .never, timeout: Int64? = nil,
        mailbox: Mailbox?, lane: Lane? = nil,
        completion: @escaping @Sendable (Result<[Rows], PostgresFault>) -> Void
    ) {
        self.work = work
        self.session = session
        givenDeadline = deadline
        self.timeout = timeout
        self.mailbox = mailbox
        self.lane = lane
        self.completion = completion
    }

    /// Work of the driver's own that nobody waits for.
    static func housekeeping(_ sql: SQL) -> Submission {
        let trip = RoundTrip(steps: [.init(Statement(sql), keepsRows: false)])
        let submission = Submission(.trip(trip), mailbox: nil) { _ in }
        submission.estimate = 50_000
        return submission
    }

    var isHousekeeping: Bool { mailbox == nil }

    /// Nobody waits any more: what was not sent is dropped, what runs is cancelled in the server. The
    /// completion is still called.
    package func cancel() { mailbox?.post(.withdraw(self)) }

    /// Whether repeating it after a lost connection is harmless.
    var isReadOnly: Bool {
        if case .trip(let trip) = work { return trip.isReadOnly }
        return false
    }

    /// Whether it may be sent once more after its connection died.
    var isWorthRepeating: Bool { isReadOnly && !wasRepeated && withdrawal == nil && !isAnswered }

    /// Starts the clocks.
    func begin(now: MonotonicTime, acquisitionTimeout: Int64, statementTimeout: Int64?) {
        deadline = min(givenDeadline, (timeout ?? statementTimeout).map { now + $0 } ?? .never)
        waitsUntil = now + acquisitionTimeout
    }

    /// When the reactor has to look at it next.
    var wakesAt: MonotonicTime { stage == .waiting ? min(deadline, waitsUntil) : deadline }

    /// Makes it as new, to be sent once more, and alone.
    func rewind() {
        // Being skipped is no repetition: it was not run. It happens once, for alone it cannot happen.
        if !wasSkipped { wasRepeated = true }
        wasSkipped = false
        runsAlone = true
        rows = []
        fault = nil
        failedSerial = nil
        connection = nil
    }

    /// Tells the caller what became of it.
    func complete() {
        guard let result else { return }
        self.result = nil
        completion(result)
    }

    /// The opening by which it may share a transaction; nil when it runs in one of its own.
    var sharedOpening: Opening? {
        guard !runsAlone, !waitsAsSlow, case .trip(let trip) = work, trip.sharesTransaction else {
            return nil
        }
        return trip.opening
    }
}
