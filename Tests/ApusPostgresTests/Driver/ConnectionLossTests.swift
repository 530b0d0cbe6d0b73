import ApusFaults
import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct ConnectionLossTests {
    @Test func aTerminatedBackendIsReplacedAndReadsAreRepeated() async throws {
        let read = StatementText("select pg_advisory_xact_lock(78), 'terminate-read'")
        try await withDriver { observer in
            try await observer.withSession { session in
                try await session.query("select pg_advisory_lock(78)")
                try await withDriver { database in
                    let victim = Task { try await database.execute(.one(read)) }
                    try await terminate("terminate-read", observer)
                    #expect(try await eventually { database.statistics.repeated == 1 })
                    try await session.query("select pg_advisory_unlock(78)")
                    #expect(try await victim.value.first?.count == 1)
                    #expect(database.statistics.connectionsLost == 1)
                }
            }
        }
    }

    @Test func aWriteThatWasSentMayHaveHappened() async throws {
        try await withDriver { database in
            let write = Task { await database.faultOf("select pg_sleep(60), 'terminate-write'") }
            try await terminate("terminate-write", database)
            let fault = await write.value
            #expect(fault?.kind == .connectionLost)
            #expect(fault?.mayHaveHappened == true)
            #expect(fault?.sqlState == "57P01")
            #expect(fault?.fault.code == "PGRST001")
            #expect(try await database.query("select 1").int(0, 0) == 1)
        }
    }

    @Test func aSessionWhoseConnectionIsLostFailsAndGivesItsPlaceBack() async throws {
        try await withDriver({ $0.connections = 1 }) { database async throws in
            await #expect(throws: PostgresFault.self) {
                try await database.withSession { session in
                    try await session.query("select pg_terminate_backend(pg_backend_pid())")
                }
            }
            await #expect(throws: PostgresFault.self) {
                try await database.withSession { session in
                    _ = try? await session.query("select pg_terminate_backend(pg_backend_pid())")
                    try await session.query("select 1")
                }
            }
            #expect(try await database.query("select 1").int(0, 0) == 1)
            #expect(database.statistics.exclusive == 0)
        }
    }

    @Test func aRestartUnderLoadLosesNoAnswer() async throws {
        let cluster = try await ThrowawayCluster.start()
        let text = StatementText("select $1::int, pg_sleep(0.002)")
        try await withDriver(on: cluster.conninfo(), { $0.acquisitionTimeout = .seconds(30) }) { database in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        var answered = 0
                        for index in 0..<100 {
                            // A read that met the restart twice is told so; everything else is answered.
                            let result = try? await database.execute(.one(text, [.text("\(index)")]))
                            if result?.first?.int(0, 0) == index { answered += 1 }
                        }
                        _ = worker
                        return answered
                    }
                }
                #expect(try await eventually { database.statistics.completed > 200 })
                try await cluster.restart(.fast)
                var answered = 0
                for try await count in group { answered += count }
                #expect(answered > 1_500)
            }
            #expect(try await database.query("select 1").int(0, 0) == 1)
            #expect(database.statistics.waiting == 0)
        }
        try await cluster.stop()
    }

    @Test func aCrashOfTheServerIsSurvived() async throws {
        let cluster = try await ThrowawayCluster.start()
        try await withDriver(on: cluster.conninfo()) { database in
            let write = Task { await database.faultOf("select pg_sleep(60), 'crash-mark'") }
            #expect(try await eventually { try await database.backends("active", marked: "crash-mark") == 1 })
            try await cluster.kill()
            #expect(await write.value?.mayHaveHappened == true)
            try await cluster.start()
            #expect(try await database.query("select 1").int(0, 0) == 1)
        }
        try await cluster.stop()
    }

    @Test func whileTheServerIsAwayRequestsWaitAndThenSayUnavailable() async throws {
        let cluster = try await ThrowawayCluster.start()
        try await cluster.stop()
        try await withDriver(on: cluster.conninfo(), { $0.acquisitionTimeout = .milliseconds(300) }) {
            database in
            let fault = await database.faultOf("select 1")
            #expect(fault?.kind == .unavailable)
            #expect(fault?.mayHaveHappened == false)
            #expect(fault?.detail?.isEmpty == false)
            #expect(fault?.fault.kind == .unavailable)
            await #expect(throws: PostgresFault.self) { try await database.withSession { _ in } }
            try await cluster.start()
            #expect(try await eventually { (try? await database.query("select 1").int(0, 0)) == 1 })
        }
        try await cluster.stop()
    }

    @Test func aSocketCutInTheMiddleOfAQueryIsRecoveredFrom() async throws {
        let proxy = try DroppingProxy(to: try await ThrowawayCluster.shared.value.socketPath)
        let read = StatementText("select pg_advisory_xact_lock(79), 'cut-read'")
        try await withDriver { observer in
            try await observer.withSession { session in
                try await session.query("select pg_advisory_lock(79)")
                try await withDriver(on: proxy.conninfo(database: "driver")) { database in
                    let reading = Task { try await database.execute(.one(read)).first?.string(0, 1) }
                    let writing = Task { await database.faultOf("select pg_sleep(60), 'cut-write'") }
                    for mark in ["cut-read", "cut-write"] {
                        #expect(
                            try await eventually { try await observer.backends("active", marked: mark) == 1 })
                    }
                    proxy.cut()
                    let fault = await writing.value
                    #expect(fault?.kind == .connectionLost)
                    #expect(fault?.mayHaveHappened == true)
                    try await session.query("select pg_advisory_unlock(79)")
                    #expect(try await reading.value == "cut-read")
                    #expect(try await database.query("select 1").int(0, 0) == 1)
                }
            }
        }
    }

    @Test func cutsUnderLoadLeaveNothingStuckAndNoConnectionBehind() async throws {
        let cluster = try await ThrowawayCluster.start()
        let proxy = try DroppingProxy(to: cluster.socketPath)
        let text = StatementText("select $1::int")
        try await withDriver(on: proxy.conninfo(), { $0.acquisitionTimeout = .seconds(30) }) { database in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<32 {
                    group.addTask {
                        for index in 0..<200 {
                            _ = try? await database.execute(.one(text, [.text("\(index)")]))
                        }
                    }
                }
                for round in 1...5 {
                    _ = try? await eventually { database.statistics.completed > UInt64(round * 500) }
                    proxy.cut()
                }
                await group.waitForAll()
            }
            #expect(try await database.query("select 1").int(0, 0) == 1)
            #expect(database.statistics.open <= 4)
            try await withDriver(on: cluster.conninfo(), { $0.connections = 1 }) { observer async throws in
                // Backends whose sockets were cut end; those of the pool and the observer's are left.
                #expect(
                    try await eventually {
                        let sql: SQL =
                            "select count(*) from pg_stat_activity where backend_type = 'client backend'"
                        return try await observer.query(sql).int(0, 0) ?? 0 <= 5
                    })
            }
        }
        try await cluster.stop()
    }

    private func terminate(_ mark: String, _ database: Database) async throws {
        #expect(try await eventually { try await database.backends("active", marked: mark) >= 1 })
        let sql: SQL = """
            select pg_terminate_backend(pid) from pg_stat_activity where state = 'active' \
            and query like '%' || \(bind: mark) || '%' and pid <> pg_backend_pid()
            """
        #expect(try await database.query(sql).count == 1)
    }
}
