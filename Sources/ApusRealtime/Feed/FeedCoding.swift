import ApusPostgres

/// How a transaction travels over the bus: little-endian integers, counted strings, each relation described once.
///
/// Pure. Version 1.
enum FeedCoding {
    private static let version: UInt8 = 1

    /// - Parameter previous: the position that this transaction follows with nothing in between.
    static func encode(_ transaction: FeedTransaction, after previous: FeedPosition) -> [UInt8] {
        var writer = ByteWriter()
        writer.byte(version)
        writer.position(previous)
        writer.position(transaction.position)
        writer.integer(transaction.endLSN.value)
        writer.integer(UInt64(bitPattern: transaction.commitTime))
        writer.integer(UInt64(transaction.xid))
        writer.integer(transaction.fullXID)
        writer.byte(transaction.isLastPart ? 1 : 0)
        var numbers: [ObjectIdentifier: Int] = [:]
        var relations: [FeedRelation] = []
        for change in transaction.changes where numbers[ObjectIdentifier(change.relation)] == nil {
            numbers[ObjectIdentifier(change.relation)] = relations.count
            relations.append(change.relation)
        }
        writer.count(relations.count)
        for relation in relations { writer.relation(relation) }
        writer.count(transaction.changes.count)
        for change in transaction.changes {
            writer.byte(change.kind.rawValue)
            writer.count(numbers[ObjectIdentifier(change.relation)] ?? 0)
            writer.row(change.new)
            writer.row(change.old)
        }
        writer.count(transaction.messages.count)
        for message in transaction.messages {
            writer.bytes(Array(message.prefix.utf8)[...])
            writer.bytes(message.content[...])
            writer.byte(message.isTransactional ? 1 : 0)
        }
        return writer.result
    }

    /// - Parameter known: the relations of before, by object id; brought up to date, so that a relation whose
    ///   shape stays, stays one object.
    static func decode(
        _ bytes: [UInt8], known: inout [UInt32: FeedRelation]
    ) throws(MalformedEntry) -> (transaction: FeedTransaction, previous: FeedPosition) {
        var reader = ByteReader(bytes)
        guard try reader.byte() == version else { throw MalformedEntry() }
        let previous = try reader.position()
        let position = try reader.position()
        let endLSN = LSN(try reader.integer())
        let commitTime = Int64(bitPattern: try reader.integer())
        let xid = UInt32(truncatingIfNeeded: try reader.integer())
        let fullXID = try reader.integer()
        let isLastPart = try reader.byte() == 1
        var relations: [FeedRelation] = []
        for _ in 0..<(try reader.count()) {
            let relation = try reader.relation()
            if known[relation.oid] != relation { known[relation.oid] = relation }
            relations.append(known[relation.oid] ?? relation)
        }
        var changes: [RowChange] = []
        for _ in 0..<(try reader.count()) {
            guard let kind = RowChange.Kind(rawValue: try reader.byte()) else { throw MalformedEntry() }
            let number = try reader.count()
            guard number < relations.count else { throw MalformedEntry() }
            changes.append(
                RowChange(
                    kind: kind, relation: relations[number], new: try reader.row(), old: try reader.row()))
        }
        var messages: [LogicalMessage] = []
        for _ in 0..<(try reader.count()) {
            let prefix = String(decoding: try reader.bytes(), as: UTF8.self)
            let content = Array(try reader.bytes())
            messages.append(
                LogicalMessage(
                    prefix: prefix, content: content, isTransactional: try reader.byte() == 1))
        }
        let transaction = FeedTransaction(
            position: position, endLSN: endLSN, commitTime: commitTime, xid: xid, fullXID: fullXID,
            changes: changes, messages: messages, isLastPart: isLastPart)
        return (transaction, previous)
    }
}

/// What another node wrote cannot be read.
struct MalformedEntry: Error, Sendable {}

// MARK: - Bytes

private struct ByteWriter {
    private(set) var result: [UInt8] = []

    mutating func byte(_ value: UInt8) { result.append(value) }

    mutating func integer(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { result.append(contentsOf: $0) }
    }

    mutating func count(_ value: Int) {
        withUnsafeBytes(of: UInt32(clamping: value).littleEndian) { result.append(contentsOf: $0) }
    }

    mutating func bytes(_ value: ArraySlice<UInt8>) {
        count(value.count)
        result.append(contentsOf: value)
    }

    mutating func position(_ value: FeedPosition) {
        integer(value.epoch)
        integer(value.lsn.value)
        integer(UInt64(value.index))
    }

    mutating func relation(_ value: FeedRelation) {
        count(Int(value.oid))
        bytes(Array(value.schema.utf8)[...])
        bytes(Array(value.name.utf8)[...])
        byte(value.replicaIdentity.rawValue)
        count(value.columns.count)
        for column in value.columns {
            bytes(Array(column.name.utf8)[...])
            count(Int(column.typeOID))
            bytes(Array(column.typeName.utf8)[...])
            byte(column.isKey ? 1 : 0)
        }
    }

    /// No row is the count that no row has.
    mutating func row(_ value: [FeedValue]?) {
        guard let value else { return count(Int(UInt32.max)) }
        count(value.count)
        for field in value {
            switch field {
            case .null: byte(0)
            case .unchangedToast: byte(1)
            case .text(let text):
                byte(2)
                bytes(text)
            }
        }
    }
}

private struct ByteReader {
    private let source: [UInt8]
    private var offset = 0

    init(_ source: [UInt8]) { self.source = source }

    mutating func slice(_ count: Int) throws(MalformedEntry) -> ArraySlice<UInt8> {
        guard count <= source.count - offset else { throw MalformedEntry() }
        defer { offset += count }
        return source[offset..<offset + count]
    }

    mutating func byte() throws(MalformedEntry) -> UInt8 {
        guard let byte = try slice(1).first else { throw MalformedEntry() }
        return byte
    }

    mutating func integer() throws(MalformedEntry) -> UInt64 {
        var value: UInt64 = 0
        for (shift, byte) in try slice(8).enumerated() { value |= UInt64(byte) << UInt64(8 * shift) }
        return value
    }

    mutating func count() throws(MalformedEntry) -> Int {
        var value = 0
        for (shift, byte) in try slice(4).enumerated() { value |= Int(byte) << (8 * shift) }
        return value
    }

    mutating func bytes() throws(MalformedEntry) -> ArraySlice<UInt8> {
        let length = try count()
        return try slice(length)
    }

    mutating func position() throws(MalformedEntry) -> FeedPosition {
        let (epoch, lsn, index) = (try integer(), try integer(), try integer())
        return FeedPosition(epoch: epoch, lsn: LSN(lsn), index: Int(clamping: index))
    }

    mutating func relation() throws(MalformedEntry) -> FeedRelation {
        let oid = UInt32(truncatingIfNeeded: try count())
        let schema = String(decoding: try bytes(), as: UTF8.self)
        let name = String(decoding: try bytes(), as: UTF8.self)
        guard let identity = FeedRelation.ReplicaIdentity(rawValue: try byte()) else {
            throw MalformedEntry()
        }
        var columns: [FeedRelation.Column] = []
        for _ in 0..<(try count()) {
            let name = String(decoding: try bytes(), as: UTF8.self)
            let typeOID = UInt32(truncatingIfNeeded: try count())
            let typeName = String(decoding: try bytes(), as: UTF8.self)
            columns.append(
                .init(name: name, typeOID: typeOID, typeName: typeName, isKey: try byte() == 1))
        }
        return FeedRelation(
            oid: oid, schema: schema, name: name, columns: columns, replicaIdentity: identity)
    }

    mutating func row() throws(MalformedEntry) -> [FeedValue]? {
        let columns = try count()
        if columns == Int(UInt32.max) { return nil }
        var row: [FeedValue] = []
        for _ in 0..<columns {
            switch try byte() {
            case 0: row.append(.null)
            case 1: row.append(.unchangedToast)
            case 2: row.append(.text(try bytes()))
            default: throw MalformedEntry()
            }
        }
        return row
    }
}
