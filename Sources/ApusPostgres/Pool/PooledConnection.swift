import DequeModule

/// A connection in the reactor's hands: the wire, what is in flight on it, and who has it.
///
/// Belongs to the reactor's thread.
final class PooledConnection {
    /// Which protocol the wire speaks at the moment.
    enum Mode {
        case pipeline
        /// A script or the start or end of a COPY: results until a null.
        case plain
        case copyIn
        case copyOut
    }

    /// A cancel request that is not over yet. Until the request has come back and everything that was in
    /// flight is answered, nothing new is sent: the server does not say which statement a cancel is for.
    struct Cancel {
        let firstSent: MonotonicTime
        var attempts = 1
        /// The server has signalled the backend.
        var hasReturned = false
        /// When to try again if the same statement still runs: the first one may have come too early.
        var retryAt = MonotonicTime.never
    }

    let slot: Int
    let wire: WireConnection
    var ledger = PipelineLedger()
    var inFlight: Deque<Submission> = []
    /// How many trips each transaction in flight carries: those of ``inFlight``, in the same order.
    var transactions: Deque<Int> = []
    /// The transaction that trips may still join, because its Sync was not sent: its opening and its trips.
    var openTransaction: (opening: Opening, trips: Int)?
    /// Which trip of ``inFlight`` the next result belongs to; 0 but within a shared transaction.
    var answering = 0
    /// Trips in flight that nobody waits for any more.
    var withdrawn = 0
    var prepared: PreparedStatements
    /// Prepared statements that gave way and are to be closed on the server.
    var retired: [UInt64] = []
    /// When the last trip was answered.
    var lastAnswer = MonotonicTime(nanoseconds: 0)
    var mode = Mode.pipeline
    var cancel: Cancel?
    /// There is more to write than the socket takes.
    var isWriting = false
    /// Nobody asks for the rows of a COPY at the moment, so none are read: memory is not for that.
    var isPaused = false
    /// What the poller was told.
    var interest = Poller.Interest()
    /// Something was sent since the last flush.
    var needsFlush = false

    // MARK: - Checked out

    var session: SessionID?
    /// What the session asked for and what has not begun.
    var operations: Deque<Submission> = []
    /// The session is over; the connection is to be made clean as soon as no cancel can hit it…
    var awaitsCleaning = false
    /// …and is being made so.
    var isCleaning = false

    init(slot: Int, wire: WireConnection, preparedStatementLimit: Int) {
        self.slot = slot
        self.wire = wire
        prepared = PreparedStatements(limit: preparedStatementLimit)
    }

    /// Whether the transaction that runs now has a trip that nobody waits for: a cancel hits what runs.
    var runsWithdrawn: Bool {
        guard withdrawn > 0 else { return false }
        let trips = transactions.first ?? openTransaction?.trips ?? inFlight.count
        return inFlight.prefix(trips).contains { $0.withdrawal != nil }
    }

    /// Not for trips of others.
    var isCheckedOut: Bool { session != nil || awaitsCleaning || isCleaning }

    /// The poller's number for it; 0 is the mailbox.
    var token: UInt64 { UInt64(slot) + 1 }
}
