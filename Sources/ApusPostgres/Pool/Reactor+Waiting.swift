import ApusSQL

/// From submission to a place on a connection.
extension Reactor {
    /// Takes new work in.
    func accept(_ submission: Submission) {
        submission.begin(
            now: now, acquisitionTimeout: configuration.acquisitionTimeout.inNanoseconds,
            statementTimeout: configuration.statementTimeout?.inNanoseconds)
        if submission.withdrawal != nil {
            finishWaiting(submission, Self.fault(of: .cancelled))
        } else if let fault = Self.refusal(of: submission.work) {
            finishWaiting(submission, fault)
        } else if let session = submission.session, !submission.isCheckOut {
            acceptOperation(submission, of: session)
        } else if isFull {
            finishWaiting(submission, PostgresFault(.poolFull, "Too many requests wait for the database."))
        } else {
            line(up: submission)
        }
    }

    /// Puts work that was sent before to the front of its line.
    func repeatOnce(_ submission: Submission) {
        statistics.repeated += 1
        submission.rewind()
        submission.waitsUntil = now + configuration.acquisitionTimeout.inNanoseconds
        wake(at: submission.waitsUntil)
        putBack(submission)
    }

    /// Sends what can be sent, sessions first: they wait for a whole connection.
    func dispatch() {
        dispatchSessions()
        while let (submission, slot) = nextPlaced() {
            guard let connection = connections[slot] else { continue }
            transmit(submission, on: connection)
        }
        // One connection is there even when nobody asks: what the server is, is known early.
        if let slot = scheduler.slotToOpenFirst, stopsAt == nil, mayOpen(forWaiting: 1, share: 1) {
            open(slot)
        }
    }

    /// Ends a wait without an answer from the server.
    func finishWaiting(_ submission: Submission, _ fault: PostgresFault) {
        let waited = submission.stage == .waiting
        submission.stage = .finished
        answer(submission, .failure(fault))
        guard waited else { return }
        if submission.isCheckOut {
            sessionLine.left()
            if sessionLine.count == 0 { scheduler.cancelDraining() }
        } else if submission.session != nil {
            return
        } else if submission.waitsAsSlow {
            slowLine.left()
        } else {
            quickLine.left()
        }
    }

    /// Puts a submission that was taken out of its line, but not sent, back.
    func putBack(_ submission: Submission) {
        if submission.waitsAsSlow {
            slowLine.prepend(submission)
        } else {
            quickLine.prepend(submission)
        }
    }

    // MARK: - Non public

    private var isFull: Bool {
        if quickLine.count + slowLine.count + sessionLine.count < configuration.queueLimit { return false }
        dispatch()
        return quickLine.count + slowLine.count + sessionLine.count >= configuration.queueLimit
    }

    private func line(up submission: Submission) {
        if submission.isCheckOut {
            sessionLine.append(submission)
        } else {
            submission.estimate = submission.estimatedText?.meanDuration
            submission.waitsAsSlow = scheduler.isSlow(submission.estimate)
            if submission.waitsAsSlow {
                slowLine.append(submission)
            } else {
                quickLine.append(submission)
            }
        }
        wake(at: submission.wakesAt)
    }

    /// The oldest submission that has a place, taken out of its line. A slow one that has to wait does not
    /// hold quick ones, nor the other way round.
    private func nextPlaced() -> (Submission, slot: Int)? {
        let isSlowOlder = (slowLine.first?.waitsUntil ?? .never) < (quickLine.first?.waitsUntil ?? .never)
        if isSlowOlder { return nextPlaced(in: &slowLine) ?? nextPlaced(in: &quickLine) }
        return nextPlaced(in: &quickLine) ?? nextPlaced(in: &slowLine)
    }

    private func nextPlaced(in line: inout WaitingLine) -> (Submission, slot: Int)? {
        guard let head = line.first else { return nil }
        // It may have been measured while this one waited.
        if head.estimate == nil { head.estimate = head.estimatedText?.meanDuration }
        if let connection = openTransaction(for: head) {
            line.removeFirst()
            return (head, connection.slot)
        }
        let mayOpen = mayOpen(forWaiting: line.count, share: 4)
        switch scheduler.place(estimate: head.estimate, now: now, mayOpen: mayOpen) {
        case .send(let slot):
            line.removeFirst()
            return (head, slot)
        case .open(let slot):
            open(slot)
            return nil
        case .wait:
            return nil
        }
    }

    private func dispatchSessions() {
        if sessionLine.count == 0 { return }
        while let head = sessionLine.first {
            let mayOpen = mayOpen(forWaiting: sessionLine.count, share: 1)
            switch scheduler.placeSession(mayOpen: mayOpen) {
            case .send(let slot):
                sessionLine.removeFirst()
                checkOut(slot, for: head)
                continue
            case .open(let slot): open(slot)
            case .wait: break
            }
            scheduler.drain(forSessions: sessionLine.count)
            return
        }
        // All have one; what was promised beyond that is free again.
        scheduler.cancelDraining()
    }

    /// What PostgreSQL or the protocol cannot take is refused before anything is sent: half a trip cannot
    /// be taken back.
    private static func refusal(of work: Submission.Work) -> PostgresFault? {
        switch work {
        case .trip(let trip):
            return trip.steps.lazy.compactMap { refusal(of: $0.statement) }.first
        case .copyIn(let statement), .copyOut(let statement):
            return refusal(of: statement)
        case .script(let script):
            return script.utf8.contains(0) ? nulFault : nil
        case .checkOut, .copyData, .endCopy, .copyNext:
            return nil
        }
    }

    private static func refusal(of statement: Statement) -> PostgresFault? {
        if statement.binds.containsNUL { return nulFault }
        if statement.binds.count > Binds.maximumCount {
            return PostgresFault(
                .invalidValue, "A statement takes at most \(Binds.maximumCount) parameters.",
                sqlState: "54023")
        }
        return nil
    }

    /// In the server's words for the same thing.
    private static var nulFault: PostgresFault {
        PostgresFault(
            .invalidValue, "invalid byte sequence for encoding \"UTF8\": 0x00", sqlState: "22021")
    }
}

extension Submission {
    var isCheckOut: Bool {
        if case .checkOut = work { return true }
        return false
    }

    /// The text whose duration stands for the whole trip's: the last one, as what comes before sets the
    /// stage. nil for texts that are not repeated.
    var estimatedText: StatementText? {
        guard case .trip(let trip) = work, let text = trip.steps.last?.statement.text, text.isPrepared else {
            return nil
        }
        return text
    }
}
