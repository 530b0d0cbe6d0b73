package import ApusPostgres

/// Where a change stands in the feed: the cursor that clients resume from.
///
/// Positions of one epoch are ordered as PostgreSQL committed. A greater epoch means that continuity could not
/// be proven in between.
package struct FeedPosition: Sendable, Hashable, Comparable {
    /// Which unbroken stretch of the feed; grows whenever a new slot had to be made.
    package var epoch: UInt64
    /// Of the transaction's commit record.
    package var lsn: LSN
    /// Of the change in its transaction, from 0.
    package var index: Int

    package init(epoch: UInt64, lsn: LSN, index: Int = 0) {
        self.epoch = epoch
        self.lsn = lsn
        self.index = index
    }

    /// After every change of the transactions that committed up to `lsn`.
    package static func end(epoch: UInt64, lsn: LSN) -> FeedPosition {
        FeedPosition(epoch: epoch, lsn: lsn, index: .max)
    }

    package static func < (left: FeedPosition, right: FeedPosition) -> Bool {
        (left.epoch, left.lsn, left.index) < (right.epoch, right.lsn, right.index)
    }
}
