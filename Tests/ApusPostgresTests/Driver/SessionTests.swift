import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct SessionTests {
    private struct Refusal: Error {}

    @Test func aSessionGoesBackClean() async throws {
        try await withDriver({ $0.connections = 1 }) { database in
            let before = try await database.withSession { session in
                try await session.query("set search_path = nowhere")
                try await session.query("create temporary table leftover (n int)")
                try await session.query("select pg_advisory_lock(99)")
                try await session.query("listen something")
                try await session.query("prepare stays as select 1")
                try await session.query("begin")
                return try await session.query("select pg_backend_pid()").int(0, 0)
            }
            #expect(try await database.query("select pg_backend_pid()").int(0, 0) == before)
            #expect(try await database.query("show search_path").string(0, 0) == "\"$user\", public")
            #expect(try await database.query("select to_regclass('leftover')").isNull(0, 0))
            let locks: SQL = "select count(*) from pg_locks where locktype = 'advisory' and objid = 99"
            #expect(try await database.query(locks).int(0, 0) == 0)
            #expect(try await database.query("select count(*) from pg_listening_channels()").int(0, 0) == 0)
            let prepared: SQL = "select count(*) from pg_prepared_statements where name = 'stays'"
            #expect(try await database.query(prepared).int(0, 0) == 0)
        }
    }

    @Test func preparedStatementsAreMadeAgainAfterASession() async throws {
        let text = StatementText("select 'again'")
        try await withDriver({ $0.connections = 1 }) { database in
            _ = try await database.execute(.one(text))
            try await database.withSession { try await $0.query("select 1") }
            #expect(try await database.execute(.one(text)).first?.string(0, 0) == "again")
            #expect(database.statistics.repeated == 0)
        }
    }

    @Test func aTransactionCommits() async throws {
        try await withDriver { database in
            try await database.query("create table committed (n int)")
            let returned = try await database.withTransaction { session in
                try await session.query("insert into committed values (1)")
                return try await session.query("insert into committed values (2) returning n").int(0, 0)
            }
            #expect(returned == 2)
            #expect(try await database.query("select count(*) from committed").int(0, 0) == 2)
        }
    }

    @Test func aTransactionThatThrowsIsRolledBack() async throws {
        try await withDriver { database in
            try await database.query("create table rolled_back (n int)")
            await #expect(throws: Refusal.self) {
                try await database.withTransaction { session in
                    try await session.query("insert into rolled_back values (1)")
                    throw Refusal()
                }
            }
            #expect(try await database.query("select count(*) from rolled_back").int(0, 0) == 0)
        }
    }

    @Test func aTransactionThatHidesAnErrorDoesNotPretendToCommit() async throws {
        try await withDriver { database in
            try await database.query("create table hidden (n int)")
            let fault = await #expect(throws: PostgresFault.self) {
                try await database.withTransaction { session in
                    try await session.query("insert into hidden values (1)")
                    _ = try? await session.query("select 1/0")
                }
            }
            #expect(fault?.sqlState == "25P02")
            #expect(try await database.query("select count(*) from hidden").int(0, 0) == 0)
        }
    }

    @Test func aCancelledTransactionIsRolledBackAndItsLocksAreFree() async throws {
        try await withDriver { database in
            try await database.query("create table locked (n int)")
            let task = Task {
                try await database.withTransaction { session in
                    try await session.query("lock table locked")
                    try await session.query("select pg_sleep(60), 'locked-mark'")
                }
            }
            #expect(
                try await eventually { try await database.backends("active", marked: "locked-mark") == 1 })
            task.cancel()
            _ = await task.result
            #expect(try await database.query("select count(*) from locked").int(0, 0) == 0)
        }
    }

    @Test func aScriptOfManyStatementsRunsAndFailsAsOne() async throws {
        try await withDriver { database in
            try await database.withSession { session in
                try await session.simpleQuery(
                    "create table s1 (n int); insert into s1 values (1); select * from s1")
                let fault = await #expect(throws: PostgresFault.self) {
                    try await session.simpleQuery(
                        "insert into s1 values (2); select 1/0; insert into s1 values (3)")
                }
                #expect(fault?.sqlState == "22012")
                #expect(try await session.query("select count(*) from s1").int(0, 0) == 1)
                try await session.simpleQuery("")
                #expect(try await session.query("select 1").int(0, 0) == 1)
            }
        }
    }

    @Test func sessionsWaitForEachOtherAndForTrips() async throws {
        let text = StatementText("select pg_sleep(0.001)")
        try await withDriver({
            $0.connections = 2
            $0.acquisitionTimeout = .seconds(50)
        }) { database in
            let load = (0..<8).map { _ in
                Task { for _ in 0..<100 { _ = try await database.execute(.one(text)) } }
            }
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        try await database.withSession {
                            try await $0.query("select \(bind: index)::int").int(0, 0)
                        }
                    }
                }
                var seen: Set<Int> = []
                for try await number in group { if let number { seen.insert(number) } }
                #expect(seen == Set(0..<10))
            }
            for task in load { try await task.value }
            #expect(try await eventually { database.statistics.exclusive == 0 })
        }
    }

    @Test func aSessionThatEscapesItsClosureIsOver() async throws {
        try await withDriver { database in
            let escaped = try await database.withSession { $0 }
            let fault = await #expect(throws: PostgresFault.self) { try await escaped.query("select 1") }
            #expect(fault?.kind == .connectionLost)
        }
    }

    @Test func aSessionLeftInTheMiddleOfAStatementGivesItsPlaceBack() async throws {
        try await withDriver({ $0.connections = 1 }) { database in
            try await database.withSession { session in
                Task { try await session.query("select pg_sleep(60), 'left-mark'") }
                try await withDriver { observer async throws in
                    #expect(
                        try await eventually {
                            try await observer.backends("active", marked: "left-mark") == 1
                        })
                }
            }
            #expect(try await database.query("select 1").int(0, 0) == 1)
            #expect(try await eventually { try await database.backends("active", marked: "left-mark") == 0 })
        }
    }
}
