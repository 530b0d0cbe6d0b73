import DequeModule
import Logging

/// Opening and losing connections.
extension Reactor {
    /// Whether an attempt to connect may start now. After a failure only one at a time, and not before the
    /// back-off's time.
    /// Each attempt is for `share` of the requests that wait: they will share the connection.
    func mayOpen(forWaiting waiting: Int, share: Int) -> Bool {
        guard now >= mayConnectAt, waiting > statistics.connecting * share else { return false }
        return statistics.connecting < (lastConnectFailure == nil ? 4 : 1)
    }

    /// Starts an attempt on a thread of its own.
    func open(_ slot: Int) {
        statistics.connecting += 1
        scheduler.connecting(slot)
        let (connector, mailbox) = (connector, mailbox)
        do throws(WireFailure) {
            try detachThread {
                let result = Result { () throws(Connector.Failure) in try connector.connect() }
                mailbox.post(.connected(slot: slot, result))
            }
        } catch {
            connected(slot, .failure(Connector.Failure(message: error.message)))
        }
    }

    func connected(_ slot: Int, _ result: Result<WireConnection, Connector.Failure>) {
        statistics.connecting -= 1
        switch result {
        case .success(let wire):
            backoff.reset()
            lastConnectFailure = nil
            statistics.connectionsOpened += 1
            statistics.serverVersion = wire.serverVersion
            let connection = PooledConnection(
                slot: slot, wire: wire, preparedStatementLimit: configuration.preparedStatementLimit)
            connections[slot] = connection
            scheduler.connected(slot, roundTrip: wire.roundTripNanoseconds)
            poller.add(wire.socket, token: connection.token)
        case .failure(let failure):
            scheduler.lost(slot)
            // One warning for each outage; the attempts that follow are for debugging.
            logger.log(
                level: lastConnectFailure == nil ? .warning : .debug, "Cannot connect to PostgreSQL",
                metadata: ["reason": "\(failure.message)"])
            lastConnectFailure = failure.message
            var generator = SystemRandomNumberGenerator()
            mayConnectAt = now + backoff.next(using: &generator)
            wake(at: mayConnectAt)
        }
    }

    /// Takes a dead connection out. What was in flight is repeated when that is harmless, and else answered
    /// with a fault that says whether it may have happened.
    func lose(_ connection: PooledConnection, because fault: PostgresFault) {
        guard connections[connection.slot] === connection else { return }
        connections[connection.slot] = nil
        statistics.connectionsLost += 1
        poller.remove(connection.wire.socket)
        scheduler.lost(connection.slot)
        if let session = connection.session { sessions[session] = nil }
        logger.debug("Lost a connection to PostgreSQL", metadata: ["reason": "\(fault.message)"])
        let kind: PostgresFault.Kind = fault.kind == .server ? .connectionLost : fault.kind
        // From the back: each repeated one goes to the front of its line.
        for submission in connection.inFlight.reversed() {
            submission.connection = nil
            if kind == .connectionLost, connection.session == nil, submission.isWorthRepeating {
                repeatOnce(submission)
            } else {
                submission.stage = .finished
                let reason = submission.withdrawal.map { Self.fault(of: $0) } ?? fault.with(kind: kind)
                answer(submission, .failure(reason.with(mayHaveHappened: !submission.isReadOnly)))
            }
        }
        for submission in connection.operations {
            submission.stage = .finished
            answer(submission, .failure(fault.with(kind: kind).with(mayHaveHappened: false)))
        }
        connection.inFlight.removeAll()
        connection.operations.removeAll()
    }

    /// Gives a living connection up: what runs on it is cancelled in the server, which would otherwise not
    /// notice before the statement ends.
    func abandon(_ connection: PooledConnection, because fault: PostgresFault) {
        if !connection.inFlight.isEmpty, let request = connection.wire.makeCancelRequest() {
            statistics.cancelsSent += 1
            try? detachThread { _ = request.send() }
        }
        lose(connection, because: fault)
    }
}
