import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct CopyTests {
    private struct Broken: Error {}

    /// Lines `first` to `last`, some at a time.
    private func lines(
        _ numbers: ClosedRange<Int>, failingAfter limit: Int? = nil
    ) -> AsyncThrowingStream<
        [UInt8], any Error
    > {
        AsyncThrowingStream { continuation in
            var chunk: [UInt8] = []
            for number in numbers {
                chunk += "\(number)\n".utf8
                if chunk.count > 8_192 {
                    continuation.yield(chunk)
                    chunk = []
                }
                if number == limit {
                    continuation.finish(throwing: Broken())
                    return
                }
            }
            continuation.yield(chunk)
            continuation.finish()
        }
    }

    @Test func copyGoesInAndOut() async throws {
        try await withDriver { database in
            try await database.withSession { session in
                try await session.query("create temporary table numbers (n int)")
                let stored = try await session.copyIn("copy numbers from stdin", from: lines(1...200_000))
                #expect(stored == 200_000)
                #expect(try await session.query("select sum(n) from numbers").int(0, 0) == 20_000_100_000)
                var bytes = 0
                var rows = 0
                for try await chunk in session.copyOut("copy numbers to stdout") {
                    bytes += chunk.count
                    rows += chunk.count { $0 == UInt8(ascii: "\n") }
                    #expect(chunk.last == UInt8(ascii: "\n"))
                }
                #expect(rows == 200_000)
                #expect(bytes == 1_288_895)
                #expect(try await session.query("select 1").int(0, 0) == 1)
            }
        }
    }

    @Test func aCopyThatTheServerRefusesFailsAndTheSessionGoesOn() async throws {
        try await withDriver { database in
            try await database.withSession { session in
                try await session.query("create temporary table refused (n int)")
                let wrong = await #expect(throws: PostgresFault.self) {
                    _ = try await session.copyIn(
                        "copy refused from stdin", from: AsyncStream(["1\n", "two\n"].map { Array($0.utf8) }))
                }
                #expect(wrong?.sqlState == "22P02")
                let missing = await #expect(throws: PostgresFault.self) {
                    _ = try await session.copyIn("copy nowhere from stdin", from: lines(1...2))
                }
                #expect(missing?.sqlState == "42P01")
                #expect(try await session.query("select count(*) from refused").int(0, 0) == 0)
            }
        }
    }

    @Test func aSourceThatBreaksStoresNothing() async throws {
        try await withDriver { database in
            try await database.withSession { session in
                try await session.query("create temporary table broken (n int)")
                await #expect(throws: Broken.self) {
                    _ = try await session.copyIn(
                        "copy broken from stdin", from: lines(1...9_000, failingAfter: 5_000))
                }
                #expect(try await session.query("select count(*) from broken").int(0, 0) == 0)
            }
        }
    }

    @Test func aCopyOutThatFailsOnTheWayThrows() async throws {
        try await withDriver { database in
            try await database.withSession { session async throws in
                let fault = await #expect(throws: PostgresFault.self) {
                    let sql: SQL = "copy (select 1 / (50000 - n) from generate_series(1, 60000) n) to stdout"
                    for try await _ in session.copyOut(sql) {}
                }
                #expect(fault?.sqlState == "22012")
                let missing = await #expect(throws: PostgresFault.self) {
                    for try await _ in session.copyOut("copy nowhere to stdout") {}
                }
                #expect(missing?.sqlState == "42P01")
                #expect(try await session.query("select 1").int(0, 0) == 1)
            }
        }
    }

    @Test func aCopyOutThatIsLeftEndsWithItsConnection() async throws {
        try await withDriver({ $0.connections = 1 }) { database in
            try await database.withSession { session in
                let sql: SQL = "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout"
                for try await _ in session.copyOut(sql) { break }
                let fault = await #expect(throws: PostgresFault.self) { try await session.query("select 1") }
                #expect(fault?.kind == .protocol)
            }
            #expect(try await database.query("select 1").int(0, 0) == 1)
        }
    }

    @Test func anEmptyCopyIsACopy() async throws {
        try await withDriver { database in
            try await database.withSession { session in
                try await session.query("create temporary table nothing (n int)")
                #expect(
                    try await session.copyIn("copy nothing from stdin", from: AsyncStream<[UInt8]>([])) == 0)
                for try await _ in session.copyOut("copy nothing to stdout") {
                    Issue.record("there is no row")
                }
                #expect(try await session.query("select 1").int(0, 0) == 1)
            }
        }
    }
}

extension AsyncStream where Element == [UInt8] {
    init(_ elements: [[UInt8]]) {
        self.init { continuation in
            for element in elements { continuation.yield(element) }
            continuation.finish()
        }
    }
}
