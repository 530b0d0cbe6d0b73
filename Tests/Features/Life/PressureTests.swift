import ApusHTTP
import ApusPostgres
import ApusSQL
import ApusTestSupport
import Synchronization
import Testing

/// What happens when there is more to do than can be done, when clients give up, and when the database is away.
@Suite struct PressureTests {
    /// Holds back `rpc/hold?key=` until the lock is let go.
    private func whileHeld<R: Sendable>(
        _ server: TestServer, key: Int, _ body: () async throws -> R
    ) async throws -> R {
        try await server.database.withOwner { owner in
            try await owner.withSession { session in
                try await session.query("select pg_advisory_lock(\(bind: key)::int)")
                let result = try await body()
                try await session.query("select pg_advisory_unlock(\(bind: key)::int)")
                return result
            }
        }
    }

    /// How many calls of `hold` the database works on.
    private func held(_ server: TestServer) async throws -> Int {
        let count = try await server.database.value(
            """
            select count(*) from pg_locks l join pg_stat_activity a using (pid)
            where l.locktype = 'advisory' and not l.granted and a.datname = '\(server.database.name)'
            """)
        return count.flatMap { Int($0) } ?? -1
    }

    /// Returns when that many calls of `hold` wait in the database.
    private func waits(for count: Int, _ server: TestServer) async throws {
        try #require(await eventually { try await held(server) == count })
    }

    /// Has the database work on a call of `hold`. What the server does on its own may have the only place in a short queue;
    /// then the call is refused, and made again.
    private func hold(_ server: TestServer, key: Int) async throws {
        let mustCall = Atomic(true)
        let isHeld = try await eventually {
            if mustCall.exchange(false, ordering: .relaxed) {
                server.exchange(.get, "rpc/hold?key=\(key)") {
                    if $0.status == 503 { mustCall.store(true, ordering: .relaxed) }
                }
            }
            return try await held(server) == 1
        }
        try #require(isHeld)
    }

    @Test func queueThatIsFullRefusesAtOnce() async throws {
        let server = try await TestServer.start(
            ["db-pool": "1", "db-pool-pipeline-depth": "1", "db-pool-queue": "1"])
        try await whileHeld(server, key: 1) {
            try await hold(server, key: 1)
            // Requests of one event loop come to the driver in order: this one waits, and the next finds no place.
            server.exchange(.get, "publishers") { _ in }
            let reply = await server.get("publishers")
            #expect(reply.status == 503)
            #expect(reply.code == "PGRST003")
            #expect(reply.field("Retry-After") != nil)
        }
        #expect(try await eventually { await server.get("publishers").status == 200 })
        await server.stop()
    }

    @Test func waitForAConnectionEnds() async throws {
        let server = try await TestServer.start(
            ["db-pool": "1", "db-pool-pipeline-depth": "1", "db-pool-acquisition-timeout": "1"])
        try await whileHeld(server, key: 2) {
            server.exchange(.get, "rpc/hold?key=2") { _ in }
            try await waits(for: 1, server)
            let reply = await server.get("publishers")
            #expect(reply.status == 504)
            #expect(reply.code == "PGRST003")
            #expect(reply.message == "Timed out acquiring connection from connection pool.")
        }
        await server.stop()
    }

    @Test func statementThatTakesTooLongIsCancelled() async throws {
        let server = try await TestServer.start(["db-statement-timeout": "1"])
        try await whileHeld(server, key: 3) {
            let reply = await server.get("rpc/hold?key=3")
            #expect(reply.status == 504, "\(reply.text)")
            try await waits(for: 0, server)
        }
        await server.stop()
    }

    @Test func workForAClientThatLeftIsStopped() async throws {
        let server = try await TestServer.start()
        try await whileHeld(server, key: 4) {
            let answers = Atomic<Int>(0)
            let abandon = server.exchange(.get, "rpc/hold?key=4") { _ in answers.add(1, ordering: .relaxed) }
            try await waits(for: 1, server)
            abandon()
            try await waits(for: 0, server)
            #expect(answers.load(ordering: .relaxed) == 0)
        }
        #expect(await server.get("publishers").status == 200)
        await server.stop()
    }

    @Test func databaseThatIsAway() async throws {
        let server = try await TestServer.startWithoutDatabase(["db-pool-acquisition-timeout": "1"])
        let reply = await server.get("books")
        #expect(reply.status == 503)
        #expect(reply.code == "PGRST002")
        #expect(
            reply.message == "Could not query the database for the schema cache. Retrying.")
        let health = await server.get("/health/ready")
        #expect(health.status == 503)
        #expect(health.code == "APUS503")
        #expect(await server.get("/health/live").status == 200)
        await server.stop()
    }

    @Test func connectionsThatAreCutComeBack() async throws {
        let server = try await TestServer.start()
        #expect(await server.get("publishers").status == 200)
        _ = try await server.database.value(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = '\(server.database.name)' and pid <> pg_backend_pid()
            """)
        #expect(try await eventually { await server.get("publishers").status == 200 })
        await server.stop()
    }
}
