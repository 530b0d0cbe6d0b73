import ApusSQL
import CLibPQ
import DequeModule

/// Connections that are checked out: one operation after the other, and clean when they come back.
extension Reactor {
    func checkOut(_ slot: Int, for submission: Submission) {
        submission.stage = .finished
        guard let connection = connections[slot], let session = submission.session else {
            return answer(submission, .failure(Self.sessionFault))
        }
        connection.session = session
        sessions[session] = connection
        scheduler.checkOut(slot)
        answer(submission, .success([]))
    }

    /// Takes an operation of a session in; one after the other they are performed.
    func acceptOperation(_ submission: Submission, of session: SessionID) {
        guard let connection = sessions[session] else {
            return finishWaiting(submission, Self.sessionFault)
        }
        submission.stage = .waiting
        connection.operations.append(submission)
        wake(at: submission.deadline)
        performNextOperation(connection)
    }

    /// Begins the session's next operation when the connection is free for it.
    func performNextOperation(_ connection: PooledConnection) {
        while connection.inFlight.isEmpty, connection.cancel == nil,
            let operation = connection.operations.popFirst()
        {
            // A withdrawn one was answered already.
            if operation.stage == .waiting { perform(operation, on: connection) }
            guard connections[connection.slot] === connection else { return }
        }
    }

    /// The session is over. Its connection is made as new (`DISCARD ALL`), or closed when it is not clear
    /// what it is doing.
    func release(_ session: SessionID) {
        guard let connection = sessions.removeValue(forKey: session) else { return }
        guard connection.inFlight.isEmpty, connection.operations.isEmpty, connection.mode == .pipeline else {
            return abandon(connection, because: Self.sessionFault)
        }
        connection.session = nil
        connection.awaitsCleaning = true
        settle(connection)
    }

    func clean(_ connection: PooledConnection) {
        let isInTransaction = connection.wire.isInTransaction
        connection.awaitsCleaning = false
        connection.isCleaning = true
        connection.prepared.forgetAll()
        connection.retired.removeAll()
        // Each in a trip of its own: DISCARD ALL runs in no transaction, not even an implicit one.
        var cleaning: [SQL] = isInTransaction ? ["rollback"] : []
        cleaning.append("discard all")
        if !sessionSettings.sql.isEmpty { cleaning.append(sessionSettings.sql) }
        for sql in cleaning where connections[connection.slot] === connection {
            transmit(.housekeeping(sql), on: connection)
        }
    }

    static var sessionFault: PostgresFault {
        PostgresFault(.connectionLost, "The session is over, or its connection was lost.")
    }

    // MARK: - Non public

    private func perform(_ operation: Submission, on connection: PooledConnection) {
        let isCopying = connection.mode == .copyIn || connection.mode == .copyOut
        switch operation.work {
        case .trip where !isCopying:
            transmit(operation, on: connection)
        case .script(let script) where !isCopying:
            beginPlain(operation, on: connection) { $0.sendScript(script) }
        case .copyIn(let statement) where !isCopying, .copyOut(let statement) where !isCopying:
            beginPlain(operation, on: connection) { $0.sendUnprepared(statement) }
        case .copyData(let bytes) where connection.mode == .copyIn:
            depart(operation, on: connection)
            if !connection.wire.putCopyData(bytes) {
                lose(connection, because: Self.sendFault(connection))
            }
        case .endCopy(let reason) where connection.mode == .copyIn:
            depart(operation, on: connection)
            connection.mode = .plain
            if !connection.wire.endCopy(failingWith: reason) {
                lose(connection, because: Self.sendFault(connection))
            }
        case .copyNext where connection.mode == .copyOut:
            depart(operation, on: connection)
            connection.isPaused = false
            watch(connection)
            readPlain(connection)
            if connections[connection.slot] === connection { settle(connection) }
        case .copyNext where connection.mode == .pipeline:
            // The last rows came with the end.
            operation.stage = .finished
            answer(operation, .success([]))
        default:
            finishWaiting(operation, PostgresFault(.protocol, "This cannot be done while a COPY runs."))
        }
    }

    private func beginPlain(
        _ operation: Submission, on connection: PooledConnection, send: (WireConnection) -> Bool
    ) {
        depart(operation, on: connection)
        connection.mode = .plain
        if !connection.wire.leavePipeline() || !send(connection.wire) {
            lose(connection, because: Self.sendFault(connection))
        }
    }
}
