import ApusFaults
import ApusPostgres
import ApusSQL
import Testing

@testable import ApusMigrations

@Suite("Seeds")
struct SeedRunnerTests {
    @Test("Each file runs once, in order of name, and progress is told")
    func once() async throws {
        let directory = try TemporaryDirectory([
            "02_b.sql":
                "create function pg_temp.f() returns int return 2; insert into t values (pg_temp.f())",
            "01_a.sql": "create table t (x int); create function pg_temp.f() returns int return 1;",
        ])
        try await withEmptyDatabase("seeds") { database in
            let runner = SeedRunner(database: database, path: directory.path)
            var events: [String] = []
            func note(_ event: SeedRunner.Event) {
                switch event {
                case .started(let name, let index, let count):
                    events.append("start \(name) \(index)/\(count)")
                case .finished(let name, _, let index, let count):
                    events.append("end \(name) \(index)/\(count)")
                case .skipped(let name, _, _): events.append("skip \(name)")
                case .changed(let name, _, _): events.append("changed \(name)")
                case .waiting, .retrying: events.append("\(event)")
                }
            }
            #expect(try await runner.run(onEvent: note) == ["01_a.sql", "02_b.sql"])
            #expect(
                events == [
                    "start 01_a.sql 1/2", "end 01_a.sql 1/2", "start 02_b.sql 2/2", "end 02_b.sql 2/2",
                ])
            events = []
            try directory.write("02_b.sql", "insert into t values (9)")
            try directory.write("03_c.sql", "insert into t values (3)")
            #expect(try await runner.run(onEvent: note) == ["03_c.sql"])
            #expect(
                events == ["skip 01_a.sql", "changed 02_b.sql", "start 03_c.sql 3/3", "end 03_c.sql 3/3"])
            #expect(try await database.value("select sum(x) from t") == "5")
            #expect(try await database.value("select count(*) from apus.seeds") == "3")
        }
    }

    @Test("A file that fails leaves nothing, and runs when it is mended; one file will do for a path")
    func failure() async throws {
        let directory = try TemporaryDirectory(["seed.sql": "create table t (x int);\nselect nothing"])
        try await withEmptyDatabase("seed_failure") { database in
            let runner = SeedRunner(database: database, path: directory.path + "/seed.sql")
            let found = await fault { () async throws(MigrationFault) in try await runner.run() }
            #expect(found?.fault.message.hasPrefix("seed.sql:2:8: ") == true, "\(String(describing: found))")
            try directory.write("seed.sql", "create table t (x int)")
            #expect(try await runner.run() == ["seed.sql"])
        }
    }
}
