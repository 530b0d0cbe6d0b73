import ApusSQL

/// From a place on a connection to the socket.
extension Reactor {
    /// Sends a trip with a Sync of its own, so that its failure stays its own.
    func transmit(_ submission: Submission, on connection: PooledConnection) {
        guard case .trip(let trip) = submission.work else { return }
        if connection.session == nil { closeRetired(on: connection) }
        guard connections[connection.slot] === connection else { return putBack(submission) }
        depart(submission, on: connection)
        let role = trip.role.map { intern($0) } ?? 0
        for step in trip.steps {
            guard send(step, role: role, on: connection) else {
                // What was queued is not committed without its Sync; so end here, and not with one.
                return lose(connection, because: Self.sendFault(connection))
            }
        }
        guard connection.wire.sendSync() else {
            return lose(connection, because: Self.sendFault(connection))
        }
        connection.ledger.sent(.sync)
    }

    /// Notes that `submission` is in flight.
    func depart(_ submission: Submission, on connection: PooledConnection) {
        submission.stage = .inFlight
        submission.sentAt = now
        submission.connection = connection
        connection.inFlight.append(submission)
        scheduler.sent(connection.slot, estimate: submission.estimate, now: now)
        touch(connection)
        wake(at: submission.deadline)
    }

    func touch(_ connection: PooledConnection) {
        if connection.needsFlush { return }
        connection.needsFlush = true
        touched.append(connection)
    }

    func flushTouched() {
        // A flush that is done may let a COPY go on, which touches its connection again.
        while let connection = touched.popLast() {
            connection.needsFlush = false
            if connections[connection.slot] === connection { flush(connection) }
        }
    }

    func flush(_ connection: PooledConnection) {
        switch connection.wire.flush() {
        case .done:
            connection.isWriting = false
            watch(connection)
            if connection.mode == .copyIn { copyDataTaken(connection) }
        case .pending:
            connection.isWriting = true
            watch(connection)
        case .failed: lose(connection, because: Self.sendFault(connection))
        }
    }

    // MARK: - Non public

    private func send(_ step: RoundTrip.Step, role: Int, on connection: PooledConnection) -> Bool {
        let statement = step.statement
        guard configuration.preparesStatements, statement.text.isPrepared else {
            connection.ledger.sent(.execute(serial: nil, keepsRows: step.keepsRows))
            return connection.wire.sendUnprepared(statement)
        }
        let key = PreparedStatements.Key(
            text: statement.text.id, role: role, types: statement.binds.typeSignature)
        let serial: UInt64
        if let known = connection.prepared.use(key) {
            serial = known
        } else {
            let added = connection.prepared.add(key)
            serial = added.serial
            if let evicted = added.evicted { connection.retired.append(evicted) }
            connection.ledger.sent(.prepare(serial: serial))
            guard connection.wire.sendPrepare(serial: serial, statement) else { return false }
        }
        connection.ledger.sent(.execute(serial: serial, keepsRows: step.keepsRows))
        return connection.wire.sendExecute(serial: serial, statement.binds)
    }

    /// Each in a trip of its own: a statement that was never really prepared must not fail anybody.
    private func closeRetired(on connection: PooledConnection) {
        guard !connection.retired.isEmpty else { return }
        let retired = connection.retired
        connection.retired.removeAll()
        for serial in retired {
            transmit(.housekeeping(WireConnection.deallocation(serial: serial)), on: connection)
        }
    }

    /// Tells the poller what the connection is interested in, when that has changed.
    func watch(_ connection: PooledConnection) {
        let interest = Poller.Interest(reads: !connection.isPaused, writes: connection.isWriting)
        guard connection.interest != interest else { return }
        connection.interest = interest
        poller.update(connection.wire.socket, token: connection.token, interest)
    }

    /// Roles are few; should they be many, numbering begins afresh with numbers not used before.
    private func intern(_ role: String) -> Int {
        if let known = roles[role] { return known }
        if roles.count > 10_000 { roles.removeAll() }
        lastRole += 1
        roles[role] = lastRole
        return lastRole
    }

    static func sendFault(_ connection: PooledConnection) -> PostgresFault {
        PostgresFault(.connectionLost, connection.wire.errorMessage)
    }
}
