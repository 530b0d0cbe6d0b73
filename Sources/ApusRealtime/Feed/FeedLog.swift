package import ApusPostgres

/// The recent transactions and who reads them.
///
/// Writing never waits for a reader: each reads on a queue of its own, and one that falls out of the log is
/// told to read afresh.
package final class FeedLog: Sendable {
    struct State: Sendable {
        var recent: RecentTransactions
        var lastSubscription: UInt64 = 0
        var readers: [UInt64: FeedReader] = [:]
    }

    let state: Locked<State>

    /// - Parameter byteLimit: the most that the transactions may take in memory.
    package init(byteLimit: Int) {
        state = Locked(State(recent: RecentTransactions(byteLimit: byteLimit)))
    }

    // MARK: - Writing

    /// Starts after `position`; where the log held something before, continuity is broken and the readers hear
    /// ``FeedEvent/epochChanged(_:)``.
    package func restart(at position: FeedPosition) {
        wake(
            state.withLock {
                $0.recent.restart(at: position); return Array($0.readers.values)
            })
    }

    /// Appends what follows in the order of commits. What is there already is left out: a source may repeat.
    package func append(_ transaction: FeedTransaction) {
        wake(state.withLock { $0.recent.append(transaction) ? Array($0.readers.values) : [] })
    }

    /// Notes that all that committed up to `lsn` has been appended.
    package func advance(to lsn: LSN) {
        wake(state.withLock { $0.recent.advance(to: lsn) ? Array($0.readers.values) : [] })
    }

    // MARK: - Reading

    /// The last position appended; nil before the first start.
    package var head: FeedPosition? { state.withLock { $0.recent.head } }
    /// All that committed up to here has been appended.
    package var caughtUp: LSN { state.withLock { $0.recent.caughtUp } }
    /// All that came after this position is here.
    package var start: FeedPosition? { state.withLock { $0.recent.start } }
    var size: (entries: Int, bytes: Int) { state.withLock { ($0.recent.entries.count, $0.recent.byteCount) } }

    /// What came after `position`, oldest first, with where that ends; nil when part of it is gone. The first
    /// transaction may begin before `position`: its changes up to there have been seen.
    package func replay(after position: FeedPosition) -> (transactions: [FeedTransaction], caughtUp: LSN)? {
        state.withLock { state in
            guard let number = state.recent.number(after: position) else { return nil }
            return (Array(state.recent.entries(from: number)), state.recent.caughtUp)
        }
    }

    /// See ``ChangeFeed/subscribe(from:_:)``.
    package func subscribe(
        from position: FeedPosition?, _ receive: @escaping @Sendable (FeedEvent) -> Void
    ) -> FeedSubscription? {
        let reader: FeedReader? = state.withLock { state in
            let recent = state.recent
            let number = position.map { recent.number(after: $0) } ?? recent.endNumber
            guard let number else { return nil }
            state.lastSubscription += 1
            let reader = FeedReader(
                log: self, number: number, breaks: recent.breaks, hasStarted: recent.start != nil, receive)
            state.readers[state.lastSubscription] = reader
            return reader
        }
        guard let reader else { return nil }
        reader.wake()
        return FeedSubscription { [weak self] in
            reader.stop()
            self?.state.withLock { state in
                state.readers = state.readers.filter { $0.value !== reader }
            }
        }
    }

    private func wake(_ readers: [FeedReader]) {
        for reader in readers { reader.wake() }
    }
}

/// An interest in the feed; ends when it is cancelled or released. After ``cancel()`` has returned, at most
/// the event that is being handed over still arrives.
package final class FeedSubscription: Sendable {
    private let ending: @Sendable () -> Void

    init(_ ending: @escaping @Sendable () -> Void) { self.ending = ending }

    package func cancel() { ending() }

    deinit { ending() }
}
