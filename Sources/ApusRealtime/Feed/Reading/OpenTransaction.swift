import ApusPostgres

/// A committed transaction whose content is arriving.
struct OpenTransaction {
    /// The most changes in one part: beyond it, a consumer's work on one part would take long.
    private static let partChanges = 4_096

    private let epoch: UInt64
    private let lsn: LSN
    private let time: Int64
    private let xid: UInt32
    private let fullXID: UInt64
    private var nextIndex = 0
    private var changes: [RowChange] = []
    private var messages: [LogicalMessage] = []
    private var bytes = 0

    init(epoch: UInt64, lsn: LSN, time: Int64, xid: UInt32, _ fullXID: UInt64) {
        self.epoch = epoch
        self.lsn = lsn
        self.time = time
        self.xid = xid
        self.fullXID = fullXID
    }

    /// - Parameter size: of the change as it came, in bytes.
    mutating func add(
        _ change: RowChange, _ size: Int, _ partBytes: Int, _ emit: TransactionAssembler.Emit
    ) {
        if isFull(partBytes), !changes.isEmpty { emitPart(emit) }
        changes.append(change)
        bytes += size + 128 + 40 * (change.new?.count ?? 0)
    }

    mutating func add(
        _ message: LogicalMessage, _ partBytes: Int, _ emit: TransactionAssembler.Emit
    ) {
        // A part is known by the index of its first change; messages alone never make one.
        if isFull(partBytes), !changes.isEmpty { emitPart(emit) }
        messages.append(message)
        bytes += message.content.count + 64
    }

    mutating func finish(at endLSN: LSN, _ emit: TransactionAssembler.Emit) {
        if nextIndex == 0, changes.isEmpty, messages.isEmpty {
            emit(.nothing(endLSN))
        } else {
            emit(.transaction(part(endLSN: endLSN, isLast: true)))
        }
    }

    // MARK: - Non public

    private func isFull(_ partBytes: Int) -> Bool {
        bytes >= partBytes || changes.count >= Self.partChanges
    }

    private mutating func emitPart(_ emit: TransactionAssembler.Emit) {
        emit(.transaction(part(endLSN: lsn, isLast: false)))
        nextIndex += changes.count
        changes.removeAll(keepingCapacity: true)
        messages.removeAll()
        bytes = 0
    }

    private func part(endLSN: LSN, isLast: Bool) -> FeedTransaction {
        FeedTransaction(
            position: FeedPosition(epoch: epoch, lsn: lsn, index: nextIndex), endLSN: endLSN,
            commitTime: time,
            xid: xid, fullXID: fullXID, changes: changes, messages: messages, isLastPart: isLast)
    }
}

/// Transaction ids with their epoch. pgoutput sends 32 bits, which wrap.
struct TransactionIDs: Sendable {
    /// A recent one.
    private var reference: UInt64

    init(reference: UInt64) { self.reference = reference }

    /// The id nearest to what was seen before.
    mutating func widen(_ xid: UInt32) -> UInt64 {
        let distance = Int32(bitPattern: xid &- UInt32(truncatingIfNeeded: reference))
        let full = UInt64(bitPattern: Int64(bitPattern: reference) + Int64(distance))
        reference = max(reference, full)
        return full
    }
}
