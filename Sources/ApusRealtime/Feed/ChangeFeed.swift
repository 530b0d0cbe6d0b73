package import ApusPostgres

/// What PostgreSQL commits, as it commits, to whoever subscribes on this node.
///
/// One node of an installation reads logical replication; the others hear of it over the bus or stand by.
package final class ChangeFeed: Sendable {
    /// What was read lately; a test may write into it without a database.
    package let log: FeedLog
    private let current = Locked(FeedState.starting)

    package init(log: FeedLog) {
        self.log = log
    }

    /// Whether changes arrive, and if not, why.
    package var state: FeedState { current.withLock { $0 } }

    /// The last position published on this node; nil before the feed has found its start.
    package var head: FeedPosition? { log.head }

    /// Everything that committed up to here has been published on this node.
    package var caughtUp: LSN { log.caughtUp }

    /// Hears every transaction after `position`, or from now on, in order, on a queue of the subscription's own.
    /// `receive` must not block for long: a subscriber that falls out of the log hears
    /// ``FeedEvent/epochChanged(_:)`` instead of what it missed; others are not affected.
    ///
    /// The first transaction may begin before `position`; its changes up to there have been seen.
    ///
    /// - Returns: nil when something after `position` is no longer in the log: read afresh. The subscription
    ///   ends when it is released.
    package func subscribe(
        from position: FeedPosition?, _ receive: @escaping @Sendable (FeedEvent) -> Void
    ) -> FeedSubscription? {
        log.subscribe(from: position, receive)
    }
}
