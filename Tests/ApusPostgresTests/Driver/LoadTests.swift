import ApusFaults
import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct LoadTests {
    @Test func tenThousandConcurrentQueriesOverFourConnectionsAllAnswer() async throws {
        let text = StatementText("select $1::int")
        try await withDriver({ $0.acquisitionTimeout = .seconds(60) }) { database in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<10_000 {
                    group.addTask {
                        try await database.execute(.one(text, [.text("\(index)")])).first?.int(0, 0) ?? -1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 10_000 * 9_999 / 2)
            #expect(database.statistics.open <= 4)
            #expect(try await eventually { database.statistics.inFlight == 0 })
            #expect(database.statistics.waiting == 0)
        }
    }

    @Test func aFullQueueRefusesAtOnce() async throws {
        try await withDriver({
            $0.connections = 1
            $0.queueLimit = 2
        }) { database async throws in
            try await database.withSession { _ async throws in
                let waiting = (0..<2).map { _ in Task { try await database.query("select 1").int(0, 0) } }
                #expect(try await eventually { database.statistics.waiting == 2 })
                let fault = await database.faultOf("select 1")
                #expect(fault?.kind == .poolFull)
                #expect(fault?.fault.kind == .unavailable)
                for task in waiting { task.cancel() }
            }
        }
    }

    @Test func aWaitForAConnectionHasAnEnd() async throws {
        try await withDriver({
            $0.connections = 1
            $0.acquisitionTimeout = .milliseconds(100)
        }) { database in
            #expect(try await eventually { database.statistics.idle == 1 })
            try await database.withSession { _ in
                let fault = await database.faultOf("select 1")
                #expect(fault?.kind == .poolTimeout)
                #expect(fault?.fault.code == "PGRST003")
                #expect(fault?.fault.kind == .status(504))
            }
        }
    }

    @Test func aSlowStatementDoesNotHoldFastOnes() async throws {
        let slow = StatementText("select pg_sleep($1), 'slow-mark'")
        let fast = StatementText("select 1")
        try await withDriver { database in
            // The driver learns how far the server is, and that this is slow.
            for _ in 0..<20 { _ = try await database.execute(.one(fast)) }
            _ = try await database.execute(.one(slow, [.text("0.1")]))
            let crowd = (0..<2).map { _ in
                Task { try await database.execute(.one(slow, [.text("60")])) }
            }
            try await withDriver { observer in
                // Each on a connection of its own, although one would do.
                #expect(
                    try await eventually { try await observer.backends("active", marked: "slow-mark") == 2 })
                // They would time out behind one.
                for _ in 0..<50 { _ = try await database.execute(.one(fast), timeout: .seconds(20)) }
                #expect(try await observer.backends("active", marked: "slow-mark") == 2)
            }
            for task in crowd { task.cancel() }
        }
    }

    @Test func stoppingFinishesWhatRunsAndRefusesWhatComes() async throws {
        let conninfo = try await DriverDatabase.shared.value
        let database = Database(DatabaseConfiguration(connectionString: conninfo), logger: quiet)
        try await withDriver { observer in
            try await observer.withSession { session in
                try await session.query("select pg_advisory_lock(77)")
                let running = Task {
                    try await database.query("select 7, pg_advisory_xact_lock(77)").int(0, 0)
                }
                #expect(
                    try await eventually {
                        let waiting: SQL = "select count(*) from pg_locks where not granted and objid = 77"
                        return try await session.query(waiting).int(0, 0) == 1
                    })
                let stopping = Task { await database.shutdown() }
                #expect(try await eventually { await database.faultOf("select 1")?.kind == .shutdown })
                try await session.query("select pg_advisory_unlock(77)")
                #expect(try await running.value == 7)
                await stopping.value
            }
        }
        #expect(await database.faultOf("select 1")?.kind == .shutdown)
        #expect(database.submit(.one(StatementText("select 1"))) { _ in }.stage == .new)
    }

    @Test func stoppingDoesNotWaitForEver() async throws {
        var configuration = DatabaseConfiguration(connectionString: try await DriverDatabase.shared.value)
        configuration.shutdownTimeout = .milliseconds(200)
        let database = Database(configuration, logger: quiet)
        let running = Task { await database.faultOf("select pg_sleep(60), 'stop-mark'") }
        try await withDriver { observer async throws in
            #expect(try await eventually { try await observer.backends("active", marked: "stop-mark") == 1 })
            await database.shutdown()
            #expect(await running.value?.kind == .shutdown)
            #expect(try await eventually { try await observer.backends("active", marked: "stop-mark") == 0 })
        }
    }

    @Test func runEndsWhenItsTaskIsCancelled() async throws {
        let conninfo = try await DriverDatabase.shared.value
        let database = Database(DatabaseConfiguration(connectionString: conninfo), logger: quiet)
        let run = Task { try await database.run() }
        #expect(try await database.query("select 1").int(0, 0) == 1)
        run.cancel()
        try await run.value
        #expect(await database.faultOf("select 1")?.kind == .shutdown)
    }

    @Test func theVersionAndTheSettingsAreThere() async throws {
        try await withDriver({
            $0.sessionParameters = [("application_name", "o'clock"), ("timezone", "UTC")]
        }) {
            database in
            #expect(try await database.query("show application_name").string(0, 0) == "o'clock")
            #expect((database.serverVersion ?? 0) >= 150_000)
            try await database.withSession { try await $0.query("set application_name = 'changed'") }
            #expect(try await database.query("show application_name").string(0, 0) == "o'clock")
        }
    }
}
