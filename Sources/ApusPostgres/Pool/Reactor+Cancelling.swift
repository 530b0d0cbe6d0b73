import DequeModule

/// Deadlines, withdrawn work, and cancelling it in the server.
extension Reactor {
    /// How long a withdrawn trip may take to say what became of it before its caller is told "perhaps".
    private static var grace: Int64 { 500_000_000 }
    /// How long a statement may go on after a cancel before its connection is given up.
    private static var cancelPatience: Int64 { 5_000_000_000 }

    /// The caller no longer wants it.
    func withdraw(_ submission: Submission, _ reason: Submission.Withdrawal) {
        switch submission.stage {
        case .new:
            // The withdrawal has overtaken the submission.
            submission.withdrawal = reason
        case .waiting:
            finishWaiting(submission, Self.fault(of: reason))
        case .inFlight:
            guard submission.withdrawal == nil, let connection = submission.connection else { return }
            submission.withdrawal = reason
            connection.withdrawn += 1
            submission.deadline = now + Self.grace
            wake(at: submission.deadline)
            // Behind others it waits for its turn: a cancel always hits what runs.
            if connection.cancel == nil, connection.runsWithdrawn { sendCancel(connection) }
        case .finished:
            return
        }
    }

    /// Asks the server to cancel what the connection runs.
    func sendCancel(_ connection: PooledConnection) {
        guard let request = connection.wire.makeCancelRequest() else {
            return lose(connection, because: Self.sendFault(connection))
        }
        statistics.cancelsSent += 1
        if connection.cancel == nil {
            connection.cancel = PooledConnection.Cancel(firstSent: now)
            scheduler.hold(connection.slot)
            wake(at: now + Self.cancelPatience)
        } else {
            connection.cancel?.attempts += 1
            connection.cancel?.hasReturned = false
            connection.cancel?.retryAt = .never
        }
        let (mailbox, slot, identity) = (mailbox, connection.slot, ObjectIdentifier(connection))
        do throws(WireFailure) {
            try detachThread {
                _ = request.send()
                mailbox.post(.cancelReturned(slot: slot, connection: identity))
            }
        } catch {
            lose(connection, because: PostgresFault(.connectionLost, error.message))
        }
    }

    /// The server has passed the signal on, or could not be reached.
    func cancelReturned(_ slot: Int, _ identity: ObjectIdentifier) {
        guard let connection = connections[slot], ObjectIdentifier(connection) == identity else { return }
        guard let attempts = connection.cancel?.attempts else { return }
        connection.cancel?.hasReturned = true
        if connection.inFlight.isEmpty { return settle(connection) }
        let pause = Int64(25_000_000) << Int64(min(attempts, 6))
        connection.cancel?.retryAt = now + pause
        wake(at: now + pause)
    }

    /// Looks at everything that has a deadline, and finds the next one. Rare: only when the earliest has
    /// passed, and most trips are answered long before theirs.
    func lookAtDeadlines() {
        wakesAt = stopsAt ?? .never
        if mayConnectAt > now { wake(at: mayConnectAt) }
        for submission in quickLine.waiting + slowLine.waiting + sessionLine.waiting {
            lookAtWaiting(submission)
        }
        for connection in connections.compactMap({ $0 }) { lookAtDeadlines(of: connection) }
        lookAtListeners()
    }

    static func fault(of reason: Submission.Withdrawal) -> PostgresFault {
        switch reason {
        case .deadline:
            PostgresFault(.timeout, "canceling statement due to statement timeout", sqlState: "57014")
        case .cancelled:
            PostgresFault(.cancelled, "canceling statement due to user request", sqlState: "57014")
        }
    }

    // MARK: - Non public

    private func lookAtWaiting(_ submission: Submission) {
        if submission.deadline <= now {
            finishWaiting(submission, Self.fault(of: .deadline))
        } else if submission.waitsUntil <= now {
            finishWaiting(submission, noConnectionFault)
        } else {
            wake(at: submission.wakesAt)
        }
    }

    /// The server is away, or everything is busy.
    private var noConnectionFault: PostgresFault {
        if let lastConnectFailure, connections.allSatisfy({ $0 == nil }) {
            return PostgresFault(
                .unavailable, "The database cannot be reached.", detail: lastConnectFailure)
        }
        return PostgresFault(.poolTimeout, "No connection became free in time.")
    }

    private func lookAtDeadlines(of connection: PooledConnection) {
        for submission in connection.inFlight {
            if submission.deadline > now {
                wake(at: submission.deadline)
            } else if submission.withdrawal == nil {
                withdraw(submission, .deadline)
            } else {
                answerWithdrawn(submission)
            }
        }
        for operation in connection.operations where operation.stage == .waiting {
            if operation.deadline <= now {
                finishWaiting(operation, Self.fault(of: .deadline))
            } else {
                wake(at: operation.deadline)
            }
        }
        lookAtCancel(of: connection)
    }

    /// The grace is over.
    private func answerWithdrawn(_ submission: Submission) {
        guard let withdrawal = submission.withdrawal else { return }
        submission.deadline = .never
        answer(submission, .failure(Self.fault(of: withdrawal).with(mayHaveHappened: !submission.isReadOnly)))
    }

    private func lookAtCancel(of connection: PooledConnection) {
        guard let cancel = connection.cancel else { return }
        let end = cancel.firstSent + Self.cancelPatience
        let isWanted = connection.runsWithdrawn
        if now >= end {
            // The statement goes on, or the request is lost on its way and could hit anything later. When it
            // did its work, the connection only has to answer what is left.
            guard isWanted || !cancel.hasReturned else { return }
            lose(
                connection, because: PostgresFault(.connectionLost, "The server did not cancel a statement."))
        } else {
            wake(at: end)
            if cancel.retryAt > now { return wake(at: cancel.retryAt) }
            if isWanted { sendCancel(connection) }
        }
    }
}
