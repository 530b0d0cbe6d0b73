import ApusPostgres

/// The feed in numbers, for whoever watches over it.
package struct FeedStatistics: Sendable {
    package var isRunning: Bool
    package var isReader: Bool
    /// Since the process began.
    package var transactions: Int
    package var changes: Int
    package var breaks: Int
    package var logBytes: Int
    package var logTransactions: Int
    /// From the commit of the newest transaction to its publication on this node, in seconds; by the clocks of two
    /// machines.
    package var commitDelay: Double?
    /// Log that was written and not confirmed, in bytes; known on the node that reads.
    package var slotLag: Double?
    /// Log that the slot holds back, in bytes.
    package var slotRetained: Double?
    /// Log that may be written before the slot is lost, in bytes; nil without limit.
    package var slotSafe: Double?
}

extension ChangeFeed {
    /// As of now.
    package var statistics: FeedStatistics {
        let (state, slot, counts) = condition.withLock { ($0.state, $0.slot, $0.counts) }
        let (size, breaks) = log.state.withLock { state in
            ((state.recent.entries.count, state.recent.byteCount), Int(state.recent.breaks))
        }
        var isReader = false
        if case .running(true) = state { isReader = true }
        return FeedStatistics(
            isRunning: state.isRunning, isReader: isReader, transactions: counts.transactions,
            changes: counts.changes, breaks: breaks, logBytes: size.1, logTransactions: size.0,
            commitDelay: counts.transactions > 0 ? Double(counts.commitDelay) / 1e6 : nil,
            slotLag: isReader ? slot.map { Double($0.lagBytes) } : nil,
            slotRetained: isReader ? slot.map { Double($0.retainedBytes) } : nil,
            slotSafe: isReader ? slot?.safeBytes.map(Double.init) : nil)
    }
}
