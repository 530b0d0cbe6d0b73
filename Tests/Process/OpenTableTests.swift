import ApusTestSupport
import Foundation
import Testing

/// Tables that anybody may reach are named in the log.
@Suite struct OpenTableTests {
    private static let migration = #"""
        create table guarded (id int primary key);
        alter table guarded enable row level security;
        create table revoked (id int primary key);
        revoke all on revoked from anon, public;
        create table narrow (id int primary key, name text);
        revoke all on narrow from anon, public;
        grant update (name) on narrow to anon;
        create table "Odd ""name""" (id int primary key);
        create table meant (id int primary key);
        create view shown as select * from guarded;
        create schema hidden;
        create table hidden.away (id int primary key);
        grant usage on schema hidden to anon;
        grant all on hidden.away to anon;
        """#

    @Test func openTablesAreNamed() async throws {
        let server = try await ServerProcess.start(
            migration: Self.migration, ["--db-open-tables", "public.meant,other.narrow"])
        func lines() -> [[String: String]] { warnings(in: server.log) }
        try #require(try await eventually { !lines().isEmpty })
        #expect(lines()[0]["tables"] == #"public."Odd ""name""", public.narrow"#)
        #expect(lines()[0]["role"] == "anon")
        #expect(
            lines()[0]["hint"]?.hasPrefix(#"alter table public."Odd ""name""" enable row level security;"#)
                == true)

        // What the hint says ends it, for this table; a new one is told of together with what was open before.
        _ = try await server.sql(#"alter table public."Odd ""name""" enable row level security"#)
        try #require(try await eventually { lines().last?["tables"] == "public.narrow" })
        _ = try await server.sql(
            "do $$ begin for n in 10..20 loop execute format('create table many_%s (id int)', n); end loop; end $$"
        )
        let names = (10...19).map { "public.many_\($0)" }.joined(separator: ", ")
        #expect(try await eventually { lines().last?["tables"] == names + " and 2 more" })
    }

    /// The server looks first when it has read the catalog for the first time, before that of a table made later.
    @Test func silence() async throws {
        let server = try await ServerProcess.start(
            migration: Self.migration + "alter table public.meant enable row level security;",
            ["--db-open-tables", "*"])
        _ = try await server.sql("create table later (id int)")
        #expect(
            try await eventually { try await Curl.get("\(server.url)/rest/v1/later").status == 200 })
        server.signal(SIGTERM)
        #expect(await server.end() == 0)
        #expect(warnings(in: server.log).isEmpty)
    }

    // MARK: - Non public

    private func warnings(in log: String) -> [[String: String]] {
        log.split(separator: "\n").compactMap { line in
            let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let isMeant = (entry?["msg"] as? String)?.hasPrefix("tables without row level security") == true
            return isMeant ? entry?["metadata"] as? [String: String] : nil
        }
    }
}
