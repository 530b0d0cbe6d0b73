/// Reads one message of pgoutput.
///
/// Pure. Values are slices of the message's bytes, so a row costs one array.
package struct PgOutputReader {
    private let bytes: [UInt8]
    private var offset = 0

    /// - Parameters:
    ///   - bytes: the message, without the header of the replication stream.
    ///   - inStream: whether it stands between ``PgOutputMessage/streamStart(xid:isFirst:)`` and
    ///     ``PgOutputMessage/streamStop``.
    /// - Returns: the message, and in a stream the (sub)transaction that it belongs to. nil for a type that
    ///   this version does not know and may skip.
    package static func read(
        _ bytes: [UInt8], inStream: Bool
    ) throws(MalformedMessage) -> (message: PgOutputMessage?, xid: UInt32?) {
        var reader = PgOutputReader(bytes)
        return try reader.read(inStream: inStream)
    }

    /// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
    package static let postgresEpoch: Int64 = 946_684_800_000_000

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read(
        inStream: Bool
    ) throws(MalformedMessage) -> (PgOutputMessage?, UInt32?) {
        let type = try byte()
        switch type {
        case UInt8(ascii: "R"), UInt8(ascii: "Y"), UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"),
            UInt8(ascii: "T"), UInt8(ascii: "M"):
            let xid = inStream ? try int32() : nil
            return (try content(type), xid)
        default: return (try boundary(type), nil)
        }
    }

    // MARK: - Messages

    private mutating func boundary(_ type: UInt8) throws(MalformedMessage) -> PgOutputMessage? {
        switch type {
        case UInt8(ascii: "B"):
            return .begin(commitLSN: try lsn(), time: try time(), xid: try int32())
        case UInt8(ascii: "C"):
            try skip(1)
            return .commit(commitLSN: try lsn(), endLSN: try lsn(), time: try time())
        case UInt8(ascii: "O"): return .origin
        case UInt8(ascii: "S"): return .streamStart(xid: try int32(), isFirst: try byte() == 1)
        case UInt8(ascii: "E"): return .streamStop
        case UInt8(ascii: "c"):
            let xid = try int32()
            try skip(1)
            return .streamCommit(xid: xid, commitLSN: try lsn(), endLSN: try lsn(), time: try time())
        case UInt8(ascii: "A"): return .streamAbort(xid: try int32(), subtransaction: try int32())
        default: return nil
        }
    }

    private mutating func content(_ type: UInt8) throws(MalformedMessage) -> PgOutputMessage? {
        switch type {
        case UInt8(ascii: "R"): return .relation(try relation())
        case UInt8(ascii: "Y"): return .type(oid: try int32(), schema: try string(), name: try string())
        case UInt8(ascii: "I"):
            let relation = try int32()
            try skip(1)
            return .insert(relation: relation, new: try row())
        case UInt8(ascii: "U"):
            let relation = try int32()
            var old: [ReplicatedValue]?
            if try byte() != UInt8(ascii: "N") {
                old = try row()
                try skip(1)
            }
            return .update(relation: relation, old: old, new: try row())
        case UInt8(ascii: "D"):
            let relation = try int32()
            try skip(1)
            return .delete(relation: relation, old: try row())
        case UInt8(ascii: "T"):
            let count = Int(try int32())
            try skip(1)
            var relations: [UInt32] = []
            for _ in 0..<count { relations.append(try int32()) }
            return .truncate(relations: relations)
        default:
            let flags = try byte()
            let position = try lsn()
            let prefix = try string()
            let length = Int(try int32())
            return .message(
                isTransactional: flags & 1 == 1, lsn: position, prefix: prefix,
                content: Array(try slice(length)))
        }
    }

    private mutating func relation() throws(MalformedMessage) -> PgOutputMessage.Relation {
        let oid = try int32()
        let schema = try string()
        let name = try string()
        let replicaIdentity = try byte()
        let count = Int(try int16())
        var columns: [PgOutputMessage.Relation.Column] = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            let flags = try byte()
            let name = try string()
            columns.append(.init(isKey: flags & 1 == 1, name: name, typeOID: try int32()))
            // The type's modifier.
            try skip(4)
        }
        return .init(
            oid: oid, schema: schema, name: name, replicaIdentity: replicaIdentity, columns: columns)
    }

    private mutating func row() throws(MalformedMessage) -> [ReplicatedValue] {
        let count = Int(try int16())
        var values: [ReplicatedValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            switch try byte() {
            case UInt8(ascii: "n"): values.append(.null)
            case UInt8(ascii: "u"): values.append(.unchangedToast)
            case UInt8(ascii: "t"):
                let length = Int(try int32())
                values.append(.text(try slice(length)))
            default: throw malformed
            }
        }
        return values
    }

    // MARK: - Fields

    private var malformed: MalformedMessage { MalformedMessage(type: bytes.first ?? 0) }

    private mutating func slice(_ count: Int) throws(MalformedMessage) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - offset else { throw malformed }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    private mutating func skip(_ count: Int) throws(MalformedMessage) { _ = try slice(count) }

    private mutating func byte() throws(MalformedMessage) -> UInt8 {
        guard offset < bytes.count else { throw malformed }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func int16() throws(MalformedMessage) -> UInt16 {
        UInt16(try byte()) << 8 | UInt16(try byte())
    }

    private mutating func int32() throws(MalformedMessage) -> UInt32 {
        UInt32(try int16()) << 16 | UInt32(try int16())
    }

    private mutating func int64() throws(MalformedMessage) -> UInt64 {
        UInt64(try int32()) << 32 | UInt64(try int32())
    }

    private mutating func lsn() throws(MalformedMessage) -> LSN { LSN(try int64()) }

    private mutating func time() throws(MalformedMessage) -> Int64 {
        Int64(bitPattern: try int64()) &+ Self.postgresEpoch
    }

    /// Ends with a NUL.
    private mutating func string() throws(MalformedMessage) -> String {
        guard let end = bytes[offset...].firstIndex(of: 0) else { throw malformed }
        defer { offset = end + 1 }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }
}
