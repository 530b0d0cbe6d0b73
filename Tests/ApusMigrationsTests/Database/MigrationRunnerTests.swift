import ApusFaults
import ApusPostgres
import ApusSQL
import Foundation
import Testing

@testable import ApusMigrations

@Suite("Applying migrations", .serialized)
struct MigrationRunnerTests {
    private func runner(
        _ database: Database, _ directory: TemporaryDirectory,
        _ change: (inout MigrationSettings) -> Void = { _ in }
    ) -> MigrationRunner {
        var settings = MigrationSettings()
        change(&settings)
        return MigrationRunner(database: database, directory: directory.migrations, settings: settings)
    }

    @Test("Each file is applied once, in order, and recorded")
    func up() async throws {
        let directory = try TemporaryDirectory([
            "0002_fill.sql": "insert into t values (1); insert into t values (2);",
            "0001_make.sql": "create table t (x int);",
        ])
        try await withEmptyDatabase("up") { database in
            let runner = runner(database, directory)
            #expect(try await runner.status().entries.map(\.state) == [.pending, .pending])
            #expect(try await runner.up().map(\.version) == ["0001", "0002"])
            #expect(try await runner.up() == [])
            try directory.write("0003_more.sql", "insert into t values (3)")
            #expect(try await runner.up().map(\.version) == ["0003"])
            #expect(try await database.value("select sum(x) from t") == "6")
            let rows = try await database.query(
                """
                select version, name, checksum ~ '^[0-9a-f]{64}$' and applied_at <= now() and duration >= '0'
                from apus.migrations order by version
                """)
            #expect((0..<rows.count).map { rows.string($0, 0) } == ["0001", "0002", "0003"])
            #expect(rows.string(0, 1) == "make")
            #expect((0..<rows.count).allSatisfy { rows.bool($0, 2) == true })
        }
    }

    @Test("A failure names the place, undoes its file, keeps what was before and stops what comes after")
    func failure() async throws {
        let directory = try TemporaryDirectory([
            "0001_make.sql": "create table t (x int);",
            "0002_bad.sql": "-- ä\ninsert into t values (1);\n\ninsert into t\n  (x, ÿ) values (2, 3);\n",
            "0003_after.sql": "create table after (x int);",
        ])
        try await withEmptyDatabase("failure") { (database) async throws in
            let found = await fault { () async throws(MigrationFault) in
                try await runner(database, directory).up()
            }
            guard case .statement(let failure) = found else {
                Issue.record("\(String(describing: found))")
                return
            }
            #expect(failure.position == .init(line: 5, column: 7))
            #expect(failure.excerpt == "  (x, ÿ) values (2, 3)\n      ^")
            #expect(failure.ordinal == 2 && failure.count == 2)
            #expect(failure.cause.sqlState == "42703")
            let coded = failure.fault
            #expect(coded.code == "APUS218")
            #expect(coded.message.hasPrefix("0002_bad.sql:5:7: "))
            #expect(coded.details?.contains("SQLSTATE 42703") == true)
            #expect(try await database.value("select count(*) from t") == "0")
            #expect(try await database.value("select to_regclass('after') is null") == "t")
            #expect(
                try await database.value("select string_agg(version, ',') from apus.migrations") == "0001")
        }
    }

    @Test("A failure without a place of its own, and one that only COMMIT finds, name their statement")
    func placeless() async throws {
        let directory = try TemporaryDirectory([
            "0001_make.sql": """
            create table t (x int unique deferrable initially deferred, y int unique);
            insert into t values (1, 1);
            """,
            "0002_now.sql": "select 1;\n  insert into t values (2, 1);\nselect 2",
        ])
        try await withEmptyDatabase("placeless") { database in
            let runner = runner(database, directory)
            var found = await fault { () async throws(MigrationFault) in try await runner.up() }
            #expect(
                found?.fault.message.hasPrefix("0002_now.sql:2:3: ") == true, "\(String(describing: found))")
            try directory.write("0002_now.sql", "insert into t values (1, 2); select 1;")
            found = await fault { () async throws(MigrationFault) in try await runner.up() }
            #expect(found?.fault.details?.contains("SQLSTATE 23505") == true, "\(String(describing: found))")
            #expect(try await database.value("select count(*) from t") == "1")
            #expect(try await database.value("select count(*) from apus.migrations") == "1")
        }
    }

    @Test("Without a transaction, indexes are built concurrently, and what ran before a failure stays")
    func noTransaction() async throws {
        let directory = try TemporaryDirectory([
            "0001_make.sql": "create table t (x int);",
            "0002_index.sql": """
            -- apus: no-transaction
            create index concurrently t_x on t (x);
            begin; insert into t values (1); commit;
            """,
        ])
        try await withEmptyDatabase("no_transaction") { database in
            let runner = runner(database, directory)
            try await runner.up()
            #expect(
                try await database.value("select indisvalid from pg_index where indexrelid = 't_x'::regclass")
                    == "t")
            try directory.write(
                "0003_half.sql", "-- apus: no-transaction\ninsert into t values (2);\nselect 1/0;")
            let found = await fault { () async throws(MigrationFault) in try await runner.up() }
            #expect(found?.fault.message.hasPrefix("0003_half.sql:3:1: ") == true)
            #expect(found?.fault.hint?.contains("before number 2 were run and stay") == true)
            #expect(try await database.value("select sum(x) from t") == "3")
            #expect(try await database.value("select max(version) from apus.migrations") == "0002")
        }
    }

    @Test("A changed, a missing and a late file stop everything")
    func history() async throws {
        let directory = try TemporaryDirectory(["0002_a.sql": "select 1", "0003_b.sql": "select 2"])
        try await withEmptyDatabase("history") { database in
            let runner = runner(database, directory)
            func code() async -> String? {
                await fault { () async throws(MigrationFault) in try await runner.up() }?.fault.code
            }
            try await runner.up()
            try directory.write("0004_c.sql", "create table c ()")
            try directory.write("0002_a.sql", "select 1 -- really")
            #expect(await code() == "APUS215")
            try directory.remove("0002_a.sql")
            #expect(await code() == "APUS216")
            try directory.write("0002_a.sql", "select 1")
            try directory.write("0001_late.sql", "select 0")
            #expect(await code() == "APUS217")
            #expect(try await database.value("select to_regclass('c') is null") == "t")
            try directory.remove("0001_late.sql")
            #expect(await code() == nil)
        }
    }

    @Test("A file that cannot run stops the run before the first statement of any")
    func checkedFirst() async throws {
        let directory = try TemporaryDirectory(["0001_a.sql": "create table t ()", "0002_b.sql": "commit"])
        try await withEmptyDatabase("checked_first") { (database) async throws in
            let found = await fault { () async throws(MigrationFault) in
                try await runner(database, directory).up()
            }
            #expect(found?.fault.code == "APUS214")
            #expect(try await database.value("select to_regclass('t') is null") == "t")
        }
    }

    @Test("Two nodes that start at once apply each file once, also while an index is built concurrently")
    func atOnce() async throws {
        let directory = try TemporaryDirectory([
            "0001_make.sql": "create table t (x int); insert into t select generate_series(1, 1000);",
            "0002_index.sql": "-- apus: no-transaction\ncreate index concurrently t_x on t (x);",
            "0003_slow.sql": "select pg_sleep(0.3); insert into t values (0);",
        ])
        try await withEmptyDatabase("at_once") { database in
            let runner = runner(database, directory)
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 { group.addTask { try await runner.up().count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.sorted() == [0, 0, 3])
            #expect(try await database.value("select count(*) from t where x = 0") == "1")
        }
    }

    @Test("Who waits for too long is told")
    func locked() async throws {
        let directory = try TemporaryDirectory(["0001_make.sql": "create table t ()"])
        try await withEmptyDatabase("locked") { database in
            try await database.withSession { other in
                try await other.query("select pg_advisory_lock(\(bind: MigrationLock.key)::bigint)")
                let runner = runner(database, directory) { $0.lockWait = .zero }
                let found = await fault { () async throws(MigrationFault) in try await runner.up() }
                #expect(found?.fault.code == "APUS204")
            }
            #expect(try await runner(database, directory).up().count == 1)
        }
    }

    @Test("A table that is locked for a while is waited for in short attempts")
    func lockedTable() async throws {
        let directory = try TemporaryDirectory(["0001_alter.sql": "alter table t add column y int"])
        try await withEmptyDatabase("locked_table") { database in
            try await database.script("create table t (x int)")
            let (retries, continuation) = AsyncStream.makeStream(of: Int.self)
            let runner = runner(database, directory) { $0.tableLockTimeout = .milliseconds(20) }
            let migration = try await database.withTransaction { reader in
                try await reader.query("lock table t in access share mode")
                let migration = Task {
                    defer { continuation.finish() }
                    return try await runner.up { event in
                        if case .retrying(_, let attempt) = event { continuation.yield(attempt) }
                    }
                }
                // The lock is held until the migration has failed once.
                let attempt = await retries.first { _ in true }
                #expect(attempt == 2)
                return migration
            }
            let applied = try await migration.value
            #expect(applied.count == 1)
        }
    }

    @Test("When the lock stays, the failure says so")
    func lockStays() async throws {
        let directory = try TemporaryDirectory(["0001_alter.sql": "alter table t add column y int"])
        try await withEmptyDatabase("lock_stays") { database in
            try await database.script("create table t (x int)")
            try await database.withTransaction { reader in
                try await reader.query("lock table t in access share mode")
                let runner = runner(database, directory) {
                    $0.tableLockTimeout = .milliseconds(20)
                    $0.attempts = 2
                }
                let found = await fault { () async throws(MigrationFault) in try await runner.up() }
                #expect(found?.fault.details?.contains("SQLSTATE 55P03") == true)
            }
        }
    }

    @Test("What a file leaves behind in the session reaches neither the next file nor the records")
    func leftovers() async throws {
        let directory = try TemporaryDirectory([
            "0001_a.sql": """
            create role leftover; create table public.t (x int);
            set search_path = ''; set role leftover; create temp table t2 (x int);
            """,
            "0002_b.sql": "insert into t values (1); create temp table t2 (x int);",
        ])
        try await withEmptyDatabase("leftovers") { database in
            let applied = try await runner(database, directory).up()
            #expect(applied.count == 2)
        }
    }

    @Test("A connection that dies is no statement's fault")
    func connectionLost() async throws {
        let directory = try TemporaryDirectory([
            "0001_a.sql": "create table t (); select pg_terminate_backend(pg_backend_pid())"
        ])
        try await withEmptyDatabase("connection_lost") { database in
            let found = await fault { () async throws(MigrationFault) in
                try await runner(database, directory).up()
            }
            #expect(found?.fault.code == "APUS205", "\(String(describing: found))")
            #expect(try await database.value("select to_regclass('t') is null") == "t")
            try directory.write("0001_a.sql", "create table t ()")
            #expect(try await runner(database, directory).up().count == 1)
        }
    }
}
