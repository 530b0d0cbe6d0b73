package import ApusPostgres

/// A committed transaction, or a part of one that is too large to be held at once.
///
/// Most transactions are one object. The parts of a large one follow each other, with nothing in between.
package final class FeedTransaction: Sendable {
    /// Of the first change in here; the change at `changes[i]` stands at `position.index + i`. Index 0 unless
    /// this is a later part.
    package let position: FeedPosition
    /// Right after the commit record: what `pg_current_wal_insert_lsn()` has passed once the commit was
    /// answered.
    package let endLSN: LSN
    /// When it committed, in microseconds since 1970.
    package let commitTime: Int64
    /// As pgoutput sends it; it wraps.
    package let xid: UInt32
    /// The same with its epoch, as `pg_current_xact_id()` and `pg_current_snapshot()` count.
    package let fullXID: UInt64
    package let changes: [RowChange]
    package let messages: [LogicalMessage]
    /// Whether no part follows.
    package let isLastPart: Bool
    /// Roughly what it takes in memory.
    package let byteCount: Int

    package init(
        position: FeedPosition, endLSN: LSN, commitTime: Int64, xid: UInt32, fullXID: UInt64,
        changes: [RowChange], messages: [LogicalMessage] = [], isLastPart: Bool = true
    ) {
        self.position = position
        self.endLSN = endLSN
        self.commitTime = commitTime
        self.xid = xid
        self.fullXID = fullXID
        self.changes = changes
        self.messages = messages
        self.isLastPart = isLastPart
        byteCount = Self.size(changes, messages)
    }

    /// Whether it is the first part, or whole.
    package var isFirstPart: Bool { position.index == 0 }

    /// Of the change at `changes[offset]`.
    package func position(of offset: Int) -> FeedPosition {
        FeedPosition(epoch: position.epoch, lsn: position.lsn, index: position.index + offset)
    }

    /// Of the last change in here. Where all of the transaction has come, the end of its LSN.
    package var lastPosition: FeedPosition {
        isLastPart
            ? .end(epoch: position.epoch, lsn: position.lsn) : self.position(of: max(0, changes.count - 1))
    }

    private static func size(_ changes: [RowChange], _ messages: [LogicalMessage]) -> Int {
        var bytes = 160
        for change in changes {
            bytes += 96 + Self.size(change.new) + Self.size(change.old)
        }
        for message in messages { bytes += 64 + message.prefix.utf8.count + message.content.count }
        return bytes
    }

    /// The slots of the array, and the text that they point to.
    private static func size(_ row: [FeedValue]?) -> Int {
        guard let row else { return 0 }
        var bytes = 32 + row.count * MemoryLayout<FeedValue>.stride
        for case .text(let text) in row { bytes += text.count + 5 }
        return bytes
    }
}

/// What a subscriber of the feed hears, in this order and without gaps.
package enum FeedEvent: Sendable {
    case transaction(FeedTransaction)
    /// Every transaction whose commit ended up to here has been handed over. Comes when what there was has been
    /// handed over, and grows while nothing is written to the tables of the feed.
    case caughtUp(LSN)
    /// The events from here on are of this epoch, and what happened before may be unknown: read afresh.
    /// Also said, with the same epoch, to a subscriber that was too slow for the log, and on a node that
    /// missed something.
    case epochChanged(UInt64)
}
