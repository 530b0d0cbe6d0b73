import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct CancellationTests {
    @Test func aDeadlineCancelsTheStatementInTheServer() async throws {
        try await withDriver { database async throws in
            let fault = await database.faultOf(
                "select pg_sleep(60), 'deadline-mark'", timeout: .milliseconds(100))
            #expect(fault?.kind == .timeout)
            #expect(fault?.sqlState == "57014")
            #expect(fault?.mayHaveHappened == false)
            #expect(
                try await eventually { try await database.backends("active", marked: "deadline-mark") == 0 })
        }
    }

    @Test func theDefaultDeadlineHolds() async throws {
        try await withDriver({ $0.statementTimeout = .milliseconds(100) }) { database in
            #expect(await database.faultOf("select pg_sleep(60)")?.kind == .timeout)
        }
    }

    @Test func cancellingTheTaskCancelsTheStatementInTheServer() async throws {
        try await withDriver { database async throws in
            let task = Task { await database.faultOf("select pg_sleep(60), 'cancel-mark'") }
            #expect(
                try await eventually { try await database.backends("active", marked: "cancel-mark") == 1 })
            task.cancel()
            #expect(await task.value?.kind == .cancelled)
            #expect(
                try await eventually { try await database.backends("active", marked: "cancel-mark") == 0 })
            // The connection is used again, not lost.
            #expect(database.statistics.connectionsLost == 0)
        }
    }

    @Test func aTaskThatIsCancelledBeforeItAsksSendsNothing() async throws {
        try await withDriver { database async throws in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await database.faultOf("create table never ()")
            }
            #expect(await task.value?.kind == .cancelled)
            #expect(try await database.query("select to_regclass('never')").isNull(0, 0))
        }
    }

    @Test func whatWaitsIsDroppedUnsent() async throws {
        try await withDriver({ $0.connections = 1 }) { database in
            try await database.withSession { session async throws in
                let waiting = Task { await database.faultOf("create table dropped ()") }
                #expect(try await eventually { database.statistics.waiting == 1 })
                waiting.cancel()
                let fault = await waiting.value
                #expect(fault?.kind == .cancelled)
                #expect(fault?.mayHaveHappened == false)
                #expect(try await session.query("select to_regclass('dropped')").isNull(0, 0))
            }
        }
    }

    /// One connection, a blocked head, neighbours behind it in the pipeline: cancelling the head must not
    /// fail them, and cancelling one of them must not fail the head.
    @Test func aCancelHitsNobodyElse() async throws {
        let blocked = StatementText("select pg_advisory_xact_lock(4711)")
        let quick = StatementText("select $1::int")
        for round in 0..<20 {
            try await withDriver({ $0.connections = 2 }) { database in
                try await database.withSession { session in
                    try await session.query("select pg_advisory_lock(4711)")
                    let head = Task { await database.faultOf(.one(blocked)) }
                    let neighbours = (0..<8).map { index in
                        Task { try await database.execute(.one(quick, [.text("\(index)")])).first?.int(0, 0) }
                    }
                    #expect(
                        try await eventually {
                            try await session.query(
                                "select count(*) from pg_locks where not granted and objid = 4711"
                            ).int(
                                0, 0) == 1
                        })
                    if round.isMultiple(of: 2) { neighbours[3].cancel() }
                    head.cancel()
                    #expect(await head.value?.kind == .cancelled)
                    for (index, neighbour) in neighbours.enumerated() where index != 3 {
                        #expect(try await neighbour.value == index)
                    }
                    _ = await neighbours[3].result
                }
                #expect(try await database.query("select 1").int(0, 0) == 1)
            }
        }
    }

    @Test func aSubmissionCanBeWithdrawn() async throws {
        try await withDriver { database async throws in
            let (stream, continuation) = AsyncStream.makeStream(of: Result<[Rows], PostgresFault>.self)
            let trip = RoundTrip(steps: [.init(Statement("select pg_sleep(60), 'withdrawn-mark'"))])
            let submission = database.submit(trip, deadline: nil) { continuation.yield($0) }
            #expect(
                try await eventually { try await database.backends("active", marked: "withdrawn-mark") == 1 })
            submission.cancel()
            submission.cancel()
            var results = stream.makeAsyncIterator()
            guard case .failure(let fault) = await results.next() else {
                Issue.record("it was not cancelled")
                return
            }
            #expect(fault.kind == .cancelled)
        }
    }

    @Test func cancellingInASessionKeepsTheSession() async throws {
        try await withDriver { database in
            try await database.withSession { session async throws in
                let fault = await #expect(throws: PostgresFault.self) {
                    try await session.query("select pg_sleep(60)", timeout: .milliseconds(50))
                }
                #expect(fault?.kind == .timeout)
                #expect(try await session.query("select 5").int(0, 0) == 5)
            }
        }
    }

    @Test func aServersOwnTimeoutIsAServersError() async throws {
        try await withDriver { database in
            try await database.withSession { session in
                try await session.query("set statement_timeout = '50ms'")
                let fault = await #expect(throws: PostgresFault.self) {
                    try await session.query("select pg_sleep(60)")
                }
                #expect(fault?.kind == .server)
                #expect(fault?.sqlState == "57014")
            }
        }
    }
}
