import ApusSQL

/// From a place on a connection to the socket.
extension Reactor {
    /// The most trips in one transaction: a failure among them has the others run again.
    private static var sharers: Int { 16 }

    /// Sends a trip: with a Sync of its own, so that its failure stays its own; or, when it may share a transaction,
    /// leaving that open for trips of the same turn with the same opening.
    func transmit(_ submission: Submission, on connection: PooledConnection) {
        guard case .trip(let trip) = submission.work else { return }
        if connection.session == nil { closeRetired(on: connection) }
        let shared = sharedOpening(of: submission)
        let joins = shared.map { $0 === connection.openTransaction?.opening } ?? false
        if !joins { endTransaction(on: connection) }
        guard connections[connection.slot] === connection else { return putBack(submission) }
        depart(submission, on: connection)
        guard send(trip, withOpening: !joins, endsTrip: shared != nil, on: connection) else {
            // What was queued is not committed without its Sync; so end here, and not with one.
            return lose(connection, because: Self.sendFault(connection))
        }
        if joins { statistics.shared += 1 }
        if !submission.isReadOnly, writesAlone > 0 { writesAlone -= 1 }
        let trips = (joins ? connection.openTransaction?.trips ?? 0 : 0) + 1
        if let shared, trips < Self.sharers {
            connection.openTransaction = (shared, trips)
        } else {
            connection.openTransaction = nil
            sendSync(after: trips, on: connection)
        }
    }

    /// The connection with a transaction that a write may join in this turn: what commits together waits for the log once.
    func openTransaction(for submission: Submission) -> PooledConnection? {
        guard !submission.isReadOnly, let opening = sharedOpening(of: submission) else { return nil }
        return touched.first { connection in
            connection.openTransaction?.opening === opening && connection.cancel == nil
                && connections[connection.slot] === connection
        }
    }

    /// The opening by which it may share a transaction now. Writes that were undone by a failure beside them make others go
    /// alone for a while: somebody may send what fails again and again.
    private func sharedOpening(of submission: Submission) -> Opening? {
        submission.isReadOnly || writesAlone == 0 ? submission.sharedOpening : nil
    }

    /// Sends the Sync that a shared transaction still lacks.
    private func endTransaction(on connection: PooledConnection) {
        guard let open = connection.openTransaction else { return }
        connection.openTransaction = nil
        sendSync(after: open.trips, on: connection)
    }

    private func sendSync(after trips: Int, on connection: PooledConnection) {
        guard connection.wire.sendSync() else {
            return lose(connection, because: Self.sendFault(connection))
        }
        connection.ledger.sent(.sync)
        connection.transactions.append(trips)
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
            if connections[connection.slot] === connection { endTransaction(on: connection) }
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

    private func send(
        _ trip: RoundTrip, withOpening: Bool, endsTrip: Bool, on connection: PooledConnection
    ) -> Bool {
        let role = trip.role.map { intern($0) } ?? 0
        if withOpening, let opening = trip.opening {
            for step in opening.steps {
                guard send(step, role: role, endsTrip: false, on: connection) else { return false }
            }
        }
        var rest = trip.steps.count
        for step in trip.steps {
            rest -= 1
            guard send(step, role: role, endsTrip: endsTrip && rest == 0, on: connection) else {
                return false
            }
        }
        return true
    }

    private func send(
        _ step: RoundTrip.Step, role: Int, endsTrip: Bool, on connection: PooledConnection
    ) -> Bool {
        let statement = step.statement
        guard configuration.preparesStatements, statement.text.isPrepared else {
            connection.ledger.sent(.execute(serial: nil, keepsRows: step.keepsRows, endsTrip: endsTrip))
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
        connection.ledger.sent(.execute(serial: serial, keepsRows: step.keepsRows, endsTrip: endsTrip))
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
