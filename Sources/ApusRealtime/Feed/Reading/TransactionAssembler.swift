import ApusPostgres

/// Makes transactions of pgoutput's messages.
///
/// A transaction arrives whole when it has committed, or, when it is large, in pieces while it is in progress;
/// pieces are spooled until the commit or the abort comes. What has committed is handed on in parts of bounded
/// size, so memory stays bounded whatever a transaction does.
struct TransactionAssembler {
    /// What comes out, in the order of commits.
    enum Output {
        case transaction(FeedTransaction)
        /// A transaction ended here that had nothing in it for the feed.
        case nothing(LSN)
    }

    typealias Emit = (Output) -> Void

    private let epoch: UInt64
    private let partBytes: Int
    private let spoolSettings: TransactionSpool.Settings
    private var relations: RelationRegistry
    private var xids: TransactionIDs
    /// Between begin and commit.
    private var open: OpenTransaction?
    /// Large transactions in progress, by their id.
    private var spools: [UInt32: TransactionSpool] = [:]
    /// Of the piece that is arriving.
    private var openSpool: UInt32?

    /// - Parameters:
    ///   - partBytes: from which size on a transaction is handed on in parts.
    ///   - xids: where the server's transaction ids stand.
    init(
        epoch: UInt64, partBytes: Int, spool: TransactionSpool.Settings, relations: RelationRegistry,
        xids: TransactionIDs
    ) {
        self.epoch = epoch
        self.partBytes = partBytes
        spoolSettings = spool
        self.relations = relations
        self.xids = xids
    }

    /// Whether a transaction has begun to arrive that has committed already.
    var isInsideTransaction: Bool { open != nil }

    /// Takes the next message.
    mutating func take(_ bytes: [UInt8], emit: Emit) throws(FeedFailure) {
        let (message, _) = try Self.read(bytes, inStream: openSpool != nil)
        guard let message else { return }
        switch message {
        case .begin(let commitLSN, let time, let xid):
            open = OpenTransaction(epoch: epoch, lsn: commitLSN, time: time, xid: xid, xids.widen(xid))
        case .commit(_, let endLSN, _):
            open?.finish(at: endLSN, emit)
            open = nil
        case .streamStart(let xid, _):
            openSpool = xid
            if spools[xid] == nil { spools[xid] = TransactionSpool(spoolSettings) }
        case .streamStop: openSpool = nil
        case .streamAbort(let xid, let subtransaction):
            if xid == subtransaction { spools[xid] = nil } else { spools[xid]?.abort(subtransaction) }
        case .streamCommit(let xid, let commitLSN, let endLSN, let time):
            try unspool(
                xid,
                into: OpenTransaction(epoch: epoch, lsn: commitLSN, time: time, xid: xid, xids.widen(xid)),
                endLSN, emit)
        default:
            if let openSpool {
                try spools[openSpool]?.append(bytes)
            } else {
                // Moved out and back, so that its arrays are never shared.
                var transaction = open
                open = nil
                try apply(message, bytes.count, to: &transaction, emit)
                open = transaction
            }
        }
    }

    // MARK: - Non public

    private static func read(
        _ bytes: [UInt8], inStream: Bool
    ) throws(FeedFailure) -> (message: PgOutputMessage?, xid: UInt32?) {
        do throws(MalformedMessage) {
            return try PgOutputReader.read(bytes, inStream: inStream)
        } catch {
            throw .malformed(type: error.type)
        }
    }

    /// A large transaction has committed: replays its pieces, without those of aborted subtransactions. Its
    /// descriptions of relations hold from its commit on.
    private mutating func unspool(
        _ xid: UInt32, into transaction: OpenTransaction, _ endLSN: LSN, _ emit: Emit
    ) throws(FeedFailure) {
        guard let spool = spools.removeValue(forKey: xid) else { return }
        var transaction: OpenTransaction? = transaction
        var reading = try spool.read()
        while let bytes = try reading.next() {
            let (message, subtransaction) = try Self.read(bytes, inStream: true)
            guard let message, !spool.isAborted(subtransaction ?? xid) else { continue }
            try apply(message, bytes.count, to: &transaction, emit)
        }
        transaction?.finish(at: endLSN, emit)
    }

    /// - Parameter size: of the message, in bytes.
    private mutating func apply(
        _ message: PgOutputMessage, _ size: Int, to open: inout OpenTransaction?, _ emit: Emit
    ) throws(FeedFailure) {
        switch message {
        case .relation(let description): relations.define(description)
        case .type(let oid, _, let name): relations.define(type: oid, name: name)
        case .insert(let oid, let new):
            let change = RowChange(kind: .insert, relation: try relation(oid), new: new)
            open?.add(change, size, partBytes, emit)
        case .update(let oid, let old, let new):
            let whole = Self.completed(new, from: old)
            let change = RowChange(kind: .update, relation: try relation(oid), new: whole, old: old)
            open?.add(change, size, partBytes, emit)
        case .delete(let oid, let old):
            let change = RowChange(kind: .delete, relation: try relation(oid), old: old)
            open?.add(change, size, partBytes, emit)
        case .truncate(let oids):
            for oid in oids {
                let change = RowChange(kind: .truncate, relation: try relation(oid))
                open?.add(change, size, partBytes, emit)
            }
        case .message(let isTransactional, let lsn, let prefix, let content):
            let message = LogicalMessage(prefix: prefix, content: content, isTransactional: isTransactional)
            if isTransactional {
                open?.add(message, partBytes, emit)
            } else {
                emit(.transaction(alone(message, at: lsn)))
            }
        default: return
        }
    }

    private func relation(_ oid: UInt32) throws(FeedFailure) -> FeedRelation {
        guard let relation = relations[oid] else { throw .unknownRelation(oid) }
        return relation
    }

    /// With REPLICA IDENTITY FULL, the old row has the large values that the update did not touch.
    private static func completed(_ new: [FeedValue], from old: [FeedValue]?) -> [FeedValue] {
        guard let old, old.count == new.count, new.contains(.unchangedToast) else { return new }
        return zip(new, old).map { new, old in
            if case .unchangedToast = new, case .text = old { old } else { new }
        }
    }

    /// A message of no transaction. Its LSN is where its record ends, and so may be where the record of the
    /// next commit begins; one byte before it is its own.
    private func alone(_ message: LogicalMessage, at lsn: LSN) -> FeedTransaction {
        FeedTransaction(
            position: FeedPosition(epoch: epoch, lsn: LSN(lsn.value - min(1, lsn.value))), endLSN: lsn,
            commitTime: WallClock.microseconds(), xid: 0, fullXID: 0, changes: [], messages: [message])
    }
}
