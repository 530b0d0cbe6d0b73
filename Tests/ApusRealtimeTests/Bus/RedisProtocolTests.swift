import ApusPostgres
import NIOCore
import Testing

@testable import ApusRealtime

/// Redis's protocol and address, and how transactions travel.
@Suite struct RedisProtocolTests {
    @Test func `addresses`() throws {
        let full = try #require(RedisAddress("rediss://us%40er:p%3Aw@[::1]:7000/3"))
        #expect(full.host == "::1" && full.port == 7_000 && full.database == 3 && full.usesTLS)
        #expect(full.user == "us@er" && full.password == "p:w")
        let short = try #require(RedisAddress("redis://:secret@cache"))
        #expect(
            short.host == "cache" && short.port == 6_379 && short.user == nil && short.password == "secret")
        for wrong in ["", "cache:1", "http://cache", "redis://", "redis://a:0", "redis://a:b", "redis://a/x"]
        {
            #expect(RedisAddress(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `values arrive in pieces`() throws {
        let bytes = Array("*4\r\n+OK\r\n:-7\r\n$5\r\na\r\nbc\r\n*2\r\n$-1\r\n-ERR no\r\n".utf8)
        for cut in 0..<bytes.count {
            var buffer = ByteBuffer(bytes: bytes[..<cut])
            #expect(try RESPDecoder.read(&buffer, depth: 0) == nil, "\(cut)")
        }
        var buffer = ByteBuffer(bytes: bytes)
        #expect(
            try RESPDecoder.read(&buffer, depth: 0)
                == .array([
                    .simple("OK"), .integer(-7), .bulk(Array("a\r\nbc".utf8)),
                    .array([.bulk(nil), .error("ERR no")]),
                ]))
        for wrong in ["x\r\n", "$x\r\n", "*99999999999\r\n", String(repeating: "*1\r\n", count: 20)] {
            var buffer = ByteBuffer(string: wrong)
            #expect(throws: RedisFailure.self) { try RESPDecoder.read(&buffer, depth: 0) }
        }
    }

    @Test func `a transaction arrives as it was sent, and half of one is refused`() throws {
        let relation = FeedRelation(
            oid: 16_400, schema: "public", name: "täble",
            columns: [.init(name: "id", typeOID: 20, typeName: "int8", isKey: true)], replicaIdentity: .full)
        let sent = FeedTransaction(
            position: FeedPosition(epoch: 9, lsn: LSN(.max - 1), index: 3), endLSN: LSN(.max),
            commitTime: -5, xid: .max, fullXID: 7 << 32,
            changes: [
                RowChange(kind: .update, relation: relation, new: [.text([1, 2])], old: [.unchangedToast]),
                RowChange(kind: .delete, relation: relation, old: [.null]),
                RowChange(kind: .truncate, relation: relation),
            ], messages: [LogicalMessage(prefix: "p", content: [0, 255], isTransactional: true)],
            isLastPart: false)
        let previous = FeedPosition.end(epoch: 9, lsn: LSN(4))
        let bytes = FeedCoding.encode(sent, after: previous)
        var known: [UInt32: FeedRelation] = [:]
        let (read, before) = try FeedCoding.decode(bytes, known: &known)
        #expect(before == previous)
        #expect(read.position == sent.position && read.endLSN == sent.endLSN && read.fullXID == sent.fullXID)
        #expect(read.commitTime == -5 && read.xid == .max && !read.isLastPart)
        #expect(read.messages == sent.messages)
        #expect(read.changes.map(\.kind) == sent.changes.map(\.kind))
        #expect(read.changes.map(\.new) == sent.changes.map(\.new))
        #expect(read.changes.map(\.old) == sent.changes.map(\.old))
        let again = try FeedCoding.decode(bytes, known: &known).transaction
        #expect(again.changes[0].relation === read.changes[0].relation)
        for cut in 0..<bytes.count {
            #expect(throws: MalformedEntry.self) {
                try FeedCoding.decode(Array(bytes[..<cut]), known: &known)
            }
        }
    }

    @Test func `messages of pgoutput that are cut short are refused`() throws {
        var insert: [UInt8] = [UInt8(ascii: "I"), 0, 0, 64, 1, UInt8(ascii: "N"), 0, 2, UInt8(ascii: "n")]
        insert += [UInt8(ascii: "t"), 0, 0, 0, 2, 65, 66]
        guard case .insert(let oid, let new)? = try PgOutputReader.read(insert, inStream: false).message
        else {
            Issue.record("no insert")
            return
        }
        #expect(oid == 16_385 && new == [.null, .text([65, 66])])
        for cut in 0..<insert.count {
            #expect(throws: MalformedMessage.self) {
                try PgOutputReader.read(Array(insert[..<cut]), inStream: false)
            }
        }
    }

    @Test func `confirmations follow after the window, or when too much is held back`() {
        var confirmation = Confirmation(window: 1_000_000, byteLimit: 1_000, start: LSN(100))
        confirmation.note(LSN(200), at: 0)
        confirmation.note(LSN(300), at: 500_000)
        #expect(confirmation.position == LSN(100))
        confirmation.note(LSN(300), at: 1_000_000)
        #expect(confirmation.position == LSN(200))
        confirmation.note(LSN(300), at: 1_500_000)
        #expect(confirmation.position == LSN(300))
        confirmation.note(LSN(900), at: 1_600_000)
        #expect(confirmation.position == LSN(300))
        confirmation.note(LSN(1_400), at: 1_800_000)
        #expect(confirmation.position == LSN(900))
    }
}
