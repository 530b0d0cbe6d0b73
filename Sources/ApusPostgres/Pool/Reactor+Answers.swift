import ApusSQL
import CLibPQ
import DequeModule

/// From the socket to the caller.
extension Reactor {
    /// Takes everything that has arrived on a connection.
    func readAnswers(_ connection: PooledConnection) {
        let isAlive = connection.wire.consumeInput()
        switch connection.mode {
        case .pipeline: readPipeline(connection)
        case .plain, .copyIn, .copyOut: readPlain(connection)
        }
        guard connections[connection.slot] === connection else { return }
        // A message of a channel that a session listened on and left; nobody waits for it.
        while connection.wire.nextNotification() != nil {}
        if !isAlive || connection.wire.isBroken {
            lose(connection, because: Self.sendFault(connection))
        } else {
            settle(connection)
        }
    }

    /// Takes the head out: it is through, with rows or with a fault.
    func finishHead(_ connection: PooledConnection, sharers: Int = 1) {
        guard let submission = connection.inFlight.popFirst() else { return }
        submission.connection = nil
        if submission.withdrawal != nil { connection.withdrawn -= 1 }
        scheduler.answered(connection.slot, now: now)
        record(submission, on: connection, sharers: sharers)
        if submission.wasSkipped, submission.fault == nil {
            skipped(submission)
        } else if connection.isCleaning, submission.fault != nil {
            lose(connection, because: PostgresFault(.connectionLost, "The connection could not be cleaned."))
        } else if mayRepeat(submission, on: connection) {
            repeatHere(submission, on: connection)
        } else {
            submission.stage = .finished
            answer(submission, outcome(of: submission))
        }
    }

    /// What follows when answers were read: cancel a head that nobody waits for, end a cancel, go on with
    /// the session, or give the connection back.
    func settle(_ connection: PooledConnection) {
        if connection.cancel == nil, connection.runsWithdrawn { sendCancel(connection) }
        guard connection.inFlight.isEmpty else { return }
        if let cancel = connection.cancel {
            guard cancel.hasReturned else { return }
            connection.cancel = nil
            scheduler.unhold(connection.slot)
        }
        if connection.awaitsCleaning {
            clean(connection)
        } else if connection.isCleaning {
            connection.isCleaning = false
            scheduler.checkIn(connection.slot)
        } else if connection.session != nil {
            performNextOperation(connection)
        } else if connection.wire.isInTransaction {
            lose(connection, because: PostgresFault(.protocol, "A trip left its transaction open."))
        }
    }

    // MARK: - Non public

    /// A transaction is over: so are its trips.
    private func finishTransaction(_ connection: PooledConnection) {
        let trips = connection.transactions.popFirst() ?? 1
        connection.answering = 0
        if trips > 1 { undoWrites(trips, connection) }
        for _ in 0..<trips {
            finishHead(connection, sharers: trips)
            guard connections[connection.slot] === connection else { return }
        }
        connection.lastAnswer = now
    }

    /// With a write that fails, those before it in the transaction are undone. Each is run again, alone, so that none hears of
    /// what another has done.
    private func undoWrites(_ trips: Int, _ connection: PooledConnection) {
        let sharers = connection.inFlight.prefix(trips)
        guard sharers.contains(where: { $0.fault != nil }), sharers.contains(where: { !$0.isReadOnly }) else {
            return
        }
        for sharer in sharers {
            sharer.wasSkipped = true
            sharer.fault = nil
        }
        writesAlone = Self.lonelyWrites
    }

    /// So many writes go alone after a failure.
    private static var lonelyWrites: Int { 64 }

    /// A neighbour's failure has kept it from being run.
    private func skipped(_ submission: Submission) {
        if submission.isAnswered || submission.withdrawal != nil {
            submission.stage = .finished
            answer(submission, .failure(Self.fault(of: submission.withdrawal ?? .cancelled)))
        } else {
            repeatOnce(submission)
        }
    }

    private func readPipeline(_ connection: PooledConnection) {
        var nulls = 0
        while !connection.inFlight.isEmpty, !connection.wire.isBusy {
            guard let result = connection.wire.nextResult() else {
                if connection.ledger.received(.end) == .next { connection.answering += 1 }
                nulls += 1
                // One null ends a command; more mean that libpq has nothing.
                if nulls > 1 { return }
                continue
            }
            nulls = 0
            guard take(result, connection) else { return }
        }
    }

    /// False when the connection is gone.
    private func take(_ result: OpaquePointer, _ connection: PooledConnection) -> Bool {
        // The answer to a Sync that ends a shared transaction comes after its last trip.
        let trips = connection.transactions.first ?? connection.inFlight.count
        let index = min(connection.answering, trips - 1)
        guard connection.inFlight.indices.contains(index) else {
            PQclear(result)
            return true
        }
        let head = connection.inFlight[index]
        let meaning = connection.ledger.received(PipelineLedger.Answer(PQresultStatus(result)))
        if meaning == .keep {
            head.rows.append(Rows(result))
            return true
        }
        defer { PQclear(result) }
        switch meaning {
        case .nothing, .keep, .next: return true
        case .skip:
            // After its own failure, what is left of it is skipped too.
            if head.fault == nil { head.wasSkipped = true }
            return true
        case .finish:
            finishTransaction(connection)
            return connections[connection.slot] === connection
        case .fail(let serial):
            head.failedSerial = serial
            return takeFault(result, head, connection)
        case .failPreparing(let serial):
            connection.prepared.forget(serial)
            return takeFault(result, head, connection)
        case .forget(let serial):
            connection.prepared.forget(serial)
            return true
        case .violation:
            lose(connection, because: Self.violation(result))
            return false
        }
    }

    private func takeFault(
        _ result: OpaquePointer, _ head: Submission, _ connection: PooledConnection
    ) -> Bool {
        let fault = PostgresFault(result: result)
        if fault.endsConnection || connection.wire.isBroken {
            lose(connection, because: fault)
            return false
        }
        if head.fault == nil { head.fault = fault }
        return true
    }

    private static func violation(_ result: OpaquePointer) -> PostgresFault {
        switch PQresultStatus(result) {
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PostgresFault(.protocol, "COPY needs a session's copyIn or copyOut.")
        default:
            PostgresFault(.protocol, "The server's answers do not fit what was sent.")
        }
    }

    /// The server's time for it: since it was there, or since it was its turn.
    /// Of what shares a transaction, each counts an equal part.
    private func record(_ submission: Submission, on connection: PooledConnection, sharers: Int) {
        scheduler.measured(roundTrip: now - submission.sentAt)
        guard submission.fault == nil, !submission.wasSkipped, let text = submission.estimatedText else {
            return
        }
        let arrived = submission.sentAt + scheduler.roundTrip
        text.record(duration: max(0, now - max(arrived, connection.lastAnswer)) / Int64(sharers))
    }

    private func outcome(of submission: Submission) -> Result<[Rows], PostgresFault> {
        guard let fault = submission.fault else {
            // The handle may live on; the rows belong to the caller.
            defer { submission.rows = [] }
            return .success(submission.rows)
        }
        if fault.sqlState == "57014", let withdrawal = submission.withdrawal {
            return .failure(Self.fault(of: withdrawal))
        }
        return .failure(fault)
    }

    /// Three failures are nobody's fault and undone by the server (an error before the Sync rolls the whole
    /// trip back), so the trip is sent once more: a cancel that was meant for a neighbour, a plan whose
    /// result type has changed (0A000), and a prepared statement that is gone (26000).
    private func mayRepeat(_ submission: Submission, on connection: PooledConnection) -> Bool {
        guard let fault = submission.fault, case .trip = submission.work else { return false }
        var isStale = false
        if let serial = submission.failedSerial, fault.sqlState == "0A000" || fault.sqlState == "26000" {
            connection.prepared.forget(serial)
            if fault.sqlState == "0A000" { connection.retired.append(serial) }
            isStale = true
        }
        guard !submission.wasRepeated, submission.withdrawal == nil, !submission.isAnswered else {
            return false
        }
        let wasHit = fault.sqlState == "57014" && connection.cancel != nil
        let isUndone = connection.session == nil || !connection.wire.isInTransaction
        return (isStale || wasHit) && isUndone
    }

    private func repeatHere(_ submission: Submission, on connection: PooledConnection) {
        guard connection.session != nil else { return repeatOnce(submission) }
        statistics.repeated += 1
        submission.rewind()
        submission.stage = .waiting
        connection.operations.prepend(submission)
    }
}

extension PipelineLedger.Answer {
    init(_ status: ExecStatusType) {
        switch status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: self = .success
        case PGRES_PIPELINE_ABORTED: self = .aborted
        case PGRES_PIPELINE_SYNC: self = .sync
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: self = .copy
        default: self = .error
        }
    }
}
