import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct ErrorIsolationTests {
    @Test func errorsInAPipelineStayTheirOwn() async throws {
        let good = StatementText("select $1::int + 1")
        let bad = StatementText("select 1 / $1::int")
        try await withDriver({ $0.connections = 1 }) { database in
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        if index.isMultiple(of: 2) {
                            let rows = try? await database.execute(.one(good, [.text("\(index)")]))
                            #expect(rows?.first?.int(0, 0) == index + 1)
                        } else {
                            let fault = await database.faultOf(.one(bad, [.text("0")]))
                            #expect(fault?.sqlState == "22012")
                            #expect(fault?.kind == .server)
                            #expect(fault?.mayHaveHappened == false)
                        }
                    }
                }
            }
        }
    }

    @Test func aTripIsOneTransaction() async throws {
        try await withDriver { database in
            try await database.query("create table one_transaction (n int)")
            let insert = RoundTrip.Step(Statement("insert into one_transaction values (1)"), keepsRows: false)
            let fault = await database.faultOf(RoundTrip(steps: [insert, .init(Statement("select 1/0"))]))
            #expect(fault?.sqlState == "22012")
            #expect(try await database.query("select count(*) from one_transaction").int(0, 0) == 0)
            let rows = try await database.execute(
                RoundTrip(steps: [insert, .init(Statement("select 'kept'"))]))
            #expect(rows.count == 1)
            #expect(rows.first?.string(0, 0) == "kept")
            #expect(try await database.query("select count(*) from one_transaction").int(0, 0) == 1)
        }
    }

    @Test func aSyntaxErrorInAPreparedTextFailsEachTime() async throws {
        let text = StatementText("selec 1")
        try await withDriver({ $0.connections = 1 }) { database async throws in
            for _ in 0..<3 {
                #expect(await database.faultOf(.one(text))?.sqlState == "42601")
            }
            #expect(try await database.query("select 1").int(0, 0) == 1)
        }
    }

    @Test func aPreparationSkippedByAnEarlierErrorIsMadeLater() async throws {
        let late = StatementText("select 'late'")
        try await withDriver({ $0.connections = 1 }) { database async throws in
            let failing = RoundTrip(steps: [
                .init(Statement("select 1/0")), .init(Statement(text: late)),
            ])
            // Sent together, so that the second relies on a preparation that the first one's error skips.
            async let first = database.faultOf(failing)
            async let second = database.execute(.one(late))
            #expect(await first?.sqlState == "22012")
            #expect(try await second.first?.string(0, 0) == "late")
            #expect(try await database.execute(.one(late)).first?.string(0, 0) == "late")
        }
    }

    @Test func theServersFieldsArrive() async throws {
        try await withDriver { database in
            try await database.query("create table fields (n int constraint positive check (n > 0))")
            let check = await database.faultOf("insert into fields values (-1)")
            #expect(check?.sqlState == "23514")
            #expect(check?.severity == "ERROR")
            #expect(check?.schemaName == "public")
            #expect(check?.tableName == "fields")
            #expect(check?.constraintName == "positive")
            #expect(check?.detail?.contains("Failing row") == true)
            let column = await database.faultOf("select m from fields")
            #expect(column?.position == 8)
            let hint = await database.faultOf("select lenght('x')")
            #expect(hint?.hint?.isEmpty == false)
        }
    }

    @Test func aTripThatLeavesItsTransactionOpenCostsItsConnection() async throws {
        try await withDriver({ $0.connections = 1 }) { database in
            _ = try await database.query("begin")
            _ = try await eventually { database.statistics.connectionsLost == 1 }
            #expect(database.statistics.connectionsLost == 1)
            #expect(try await database.query("select 1").int(0, 0) == 1)
        }
    }

    @Test func copyInAPipelineIsRefused() async throws {
        try await withDriver { database in
            try await database.query("create table no_copy (n int)")
            #expect(await database.faultOf("copy no_copy from stdin")?.kind == .protocol)
            #expect(await database.faultOf("copy no_copy to stdout")?.kind == .protocol)
            #expect(try await database.query("select 1").int(0, 0) == 1)
        }
    }
}
