package import ApusPostgres

/// What PostgreSQL commits, as it commits, to whoever subscribes on this node.
///
/// One node of an installation reads logical replication; the others hear of it over the bus or stand by.
/// ``FeedService`` keeps it going.
package final class ChangeFeed: Sendable {
    struct Condition: Sendable {
        var state = FeedState.starting
        var coverage = FeedCoverage()
        var slot: SlotStatus?
        var warnsOfSlots = false
        var reader: SlotReader?
        /// Asks the node that reads, where this one does not.
        var ask: (@Sendable () -> Void)?
        var counts = Counts()
        /// Wakes who looks after slot and publication.
        var care: AsyncStream<Void>.Continuation?
    }

    struct Counts: Sendable {
        var transactions = 0
        var changes = 0
        /// From the newest commit to its publication, in microseconds.
        var commitDelay: Int64 = 0
    }

    /// What was read lately; a test may write into it without a database.
    package let log: FeedLog
    let condition = Locked(Condition())

    package init(log: FeedLog = FeedLog(byteLimit: 64 << 20)) {
        self.log = log
    }

    // MARK: - For consumers

    /// Whether changes arrive, and if not, why.
    package var state: FeedState { condition.withLock { $0.state } }

    /// The last position published on this node; nil before the feed has found its start.
    package var head: FeedPosition? { log.head }

    /// Everything that committed up to here has been published on this node.
    package var caughtUp: LSN { log.caughtUp }

    /// The tables that the feed covers. Read again every ten seconds, and after ``catalogChanged()``.
    package var coverage: FeedCoverage { condition.withLock { $0.coverage } }

    /// Hears every transaction after `position`, or from now on, in order, on a queue of the subscription's own.
    /// `receive` must not block for long: a subscriber that falls out of the log hears
    /// ``FeedEvent/epochChanged(_:)`` instead of what it missed; others are not affected.
    ///
    /// The first transaction may begin before `position`; its changes up to there have been seen. A subscriber
    /// from now on that comes before the feed has found its start hears the epoch first.
    ///
    /// - Returns: nil when something after `position` is no longer in the log: read afresh. The subscription
    ///   ends when it is released.
    package func subscribe(
        from position: FeedPosition?, _ receive: @escaping @Sendable (FeedEvent) -> Void
    ) -> FeedSubscription? {
        log.subscribe(from: position, receive)
    }

    /// Asks the server where it stands, so that ``FeedEvent/caughtUp(_:)`` with a position of now or later comes
    /// within milliseconds although nothing is written.
    package func requestProgress() {
        let (reader, ask) = condition.withLock { ($0.reader, $0.ask) }
        if let reader { reader.requestProgress() } else { ask?() }
    }

    /// Tables may have come or gone: what is missing is published at once. To be called when the catalog was read
    /// again.
    package func catalogChanged() { condition.withLock { $0.care }?.yield() }

    // MARK: - For the service

    /// Waits for ``catalogChanged()``, or for this time. False when the task is cancelled.
    func needsCare(within limit: Duration) async -> Bool {
        let (calls, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        condition.withLock { $0.care = continuation }
        let timer = Task {
            try? await Task.sleep(for: limit)
            continuation.finish()
        }
        for await _ in calls { break }
        timer.cancel()
        return !Task.isCancelled
    }

    /// What the slot will bring follows what is in the log, or does not.
    ///
    /// - Parameter isComplete: whether the log is known to hold all that was confirmed.
    func begin(_ slot: ReadySlot, isComplete: Bool) {
        let confirmed = slot.status.confirmed
        if log.start?.epoch != slot.epoch || (confirmed > log.caughtUp && !isComplete) {
            log.restart(at: .end(epoch: slot.epoch, lsn: confirmed))
        }
    }

    func append(_ transaction: FeedTransaction) {
        log.append(transaction)
        condition.withLock { condition in
            if transaction.isFirstPart { condition.counts.transactions += 1 }
            condition.counts.changes += transaction.changes.count
            condition.counts.commitDelay = max(0, WallClock.microseconds() - transaction.commitTime)
        }
    }

    /// There will be no changes.
    package func switchOff() { become(.off) }

    func become(_ state: FeedState) { condition.withLock { $0.state = state } }
    func cover(_ coverage: FeedCoverage) {
        condition.withLock { $0.coverage = $0.coverage.updated(to: coverage) }
    }
    func learn(_ slot: SlotStatus) { condition.withLock { $0.slot = slot } }
    func asks(_ ask: (@Sendable () -> Void)?) { condition.withLock { $0.ask = ask } }
    func reads(by reader: SlotReader?) { condition.withLock { $0.reader = reader } }

    /// True the first time.
    func learn(unlimitedSlots: Bool) -> Bool {
        condition.withLock { condition in
            defer { condition.warnsOfSlots = unlimitedSlots }
            return !condition.warnsOfSlots
        }
    }
}
