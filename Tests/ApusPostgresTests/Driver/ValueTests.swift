import ApusFaults
import ApusSQL
import ApusTestSupport
import Foundation
import Logging
import Testing

@testable import ApusPostgres

@Suite struct ValueTests {
    private let echo = StatementText("select $1::text")

    @Test func aValueWithANULIsRefusedAsTheServerWould() async throws {
        try await withDriver { database in
            let fault = await database.faultOf(.one(echo, [.text("a\u{0}b")]))
            #expect(fault?.kind == .invalidValue)
            #expect(fault?.sqlState == "22021")
            #expect(fault?.fault.kind == .invalid)
        }
    }

    @Test func aScriptWithANULIsRefusedAndNotCutShort() async throws {
        try await withDriver { database async throws in
            await #expect(throws: PostgresFault.self) {
                try await database.withSession {
                    try await $0.simpleQuery("create table cut ();\u{0} garbage")
                }
            }
            #expect(try await database.query("select to_regclass('cut')").isNull(0, 0))
        }
    }

    @Test func binaryValuesMayHoldANUL() async throws {
        let text = StatementText("select encode($1, 'hex')")
        try await withDriver { database in
            let rows = try await database.execute(.one(text, [.binary([0, 1, 255], oid: TypeOID.bytea)]))
            #expect(rows.first?.string(0, 0) == "0001ff")
        }
    }

    @Test func aValueOfAHundredMegabytesGoesThereAndBack() async throws {
        let size = 100_000_000
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        try await withDriver({ $0.connections = 2 }) { database in
            var binds = Binds()
            binds.append(binary: value, oid: TypeOID.text)
            let trip = RoundTrip(steps: [.init(Statement(text: echo, binds: binds))], isReadOnly: true)
            let rows = try await database.execute(trip, timeout: .seconds(120))
            #expect(rows.first?.length(0, 0) == size)
            let isSame = rows.first?.withBytes(0, 0) { bytes in
                bytes?.baseAddress.map { memcmp($0, value, size) == 0 }
            }
            #expect(isSame == true)
        }
    }

    @Test func anEmptyQueryHasNoRows() async throws {
        try await withDriver { database in
            let rows = try await database.query("")
            #expect(rows.count == 0)
            #expect(rows.columnCount == 0)
            #expect(rows.affectedRows == nil)
            #expect(rows.string(0, 0) == nil)
        }
    }

    @Test func tooManyParametersAreRefusedBeforeAnythingIsSent() async throws {
        try await withDriver { database in
            var binds = Binds()
            for _ in 0...65_535 { binds.append(.text("1")) }
            try await database.query("create table untouched (n int)")
            let trip = RoundTrip(steps: [
                .init(Statement("insert into untouched values (1)")),
                .init(Statement(text: StatementText("select 1"), binds: binds)),
            ])
            #expect(await database.faultOf(trip)?.kind == .invalidValue)
            #expect(try await database.query("select count(*) from untouched").int(0, 0) == 0)
        }
    }

    @Test func rowsAreReadByTheirTypes() async throws {
        try await withDriver { database in
            let rows = try await database.query(
                "select 42 as number, true as yes, null as nothing, 'é' as text union all select -1, false, null, ''"
            )
            #expect(rows.count == 2)
            #expect(rows.columnNames == ["number", "yes", "nothing", "text"])
            #expect(rows.int(0, 0) == 42)
            #expect(rows.bool(0, 1) == true)
            #expect(rows.bool(1, 1) == false)
            #expect(rows.isNull(0, 2))
            #expect(rows.string(0, 3) == "é")
            #expect(rows.length(0, 3) == 2)
            #expect(rows.string(1, 3) == "")
            #expect(rows.int(0, 3) == nil)
            #expect(rows.isNull(2, 0))
            #expect(rows.isNull(-1, 0))
            #expect(rows.columnType(0) == TypeOID.int4)
            #expect(rows.commandTag == "SELECT 2")
        }
    }

    @Test func aNoticeGoesToTheLogAndHarmsNothing() async throws {
        let lines = LogLines()
        var logger = Logger(label: "test", factory: { _ in LineHandler(lines: lines) })
        logger.logLevel = .debug
        try await withDriver(logger: logger) { database in
            try await database.query("do $$ begin raise notice 'mind the gap'; end $$")
            #expect(lines.all.contains { $0.contains("mind the gap") })
        }
    }

    @Test func theSameTextWithOtherTypesIsPreparedAgain() async throws {
        let text = StatementText("select $1")
        try await withDriver({ $0.connections = 1 }) { database in
            let first = try await database.execute(.one(text, [.typed("1", oid: TypeOID.int4)]))
            let second = try await database.execute(.one(text, [.typed("{}", oid: TypeOID.jsonb)]))
            #expect(first.first?.columnType(0) == TypeOID.int4)
            #expect(second.first?.columnType(0) == TypeOID.jsonb)
        }
    }
}

/// What was logged.
final class LogLines: Sendable {
    private let lines = Locked<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}

struct LineHandler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.append("\(event.message)") }
}
