import ApusFaults
import ApusPostgres
import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusMigrations

@Suite("Apus's own schema", .serialized)
struct SystemMigratorTests {
    /// An event trigger of the kind that the catalog's reader brings.
    private static let trigger = """
        create function apus.announce() returns event_trigger language plpgsql as $$
        begin notify apus_catalog; end $$;
        create event trigger apus_announce on ddl_command_end execute function apus.announce();
        """

    /// Of all steps but some; 6 and 9 are a superuser's, and 9 is the event trigger.
    private static func numbers(without some: Set<Int> = []) -> [Int] {
        SystemStep.all(catalogEventTrigger: trigger).map(\.number).filter { !some.contains($0) }
    }

    private func migrate(
        _ database: Database, trigger: String? = nil
    ) async throws(MigrationFault) -> (applied: [Int], left: [Int]) {
        var (applied, left): ([Int], [Int]) = ([], [])
        try await SystemMigrator(database: database, steps: SystemStep.all(catalogEventTrigger: trigger)).run
        {
            switch $0 {
            case .applied(let step): applied.append(step.number)
            case .left(let step, _): left.append(step.number)
            case .waiting: break
            }
        }
        return (applied, left)
    }

    private func roles(_ database: Database) async throws -> String? {
        try await database.value(
            """
            select string_agg(concat_ws(' ', rolname, rolcanlogin, rolinherit, rolbypassrls), ', ' order by rolname)
            from pg_roles where rolname in ('anon', 'authenticated', 'service_role', 'authenticator')
            """)
    }

    @Test("A superuser gets everything at once, and nothing a second time")
    func superuser() async throws {
        try await withEmptyDatabase("system") { database in
            let first = try await migrate(database, trigger: Self.trigger)
            #expect(first.applied == Self.numbers())
            #expect(first.left == [])
            let second = try await migrate(database, trigger: Self.trigger)
            #expect(second.applied == [] && second.left == [])
        }
    }

    @Test(
        "authenticator can do nothing until it becomes a role; new tables are open to the roles, old ones not"
    )
    func grants() async throws {
        let cluster = try await ThrowawayCluster.shared.value
        try await createDatabase("grants", on: cluster)
        try await withDatabase(at: cluster.conninfo(database: "grants")) { database in
            try await database.script("create table old (x int)")
            _ = try await migrate(database)
            try await database.script("create table fresh (x int generated always as identity)")
            #expect(
                try await database.value(
                    """
                    select string_agg(concat_ws(' ', privilege, has_table_privilege('anon', 'fresh', privilege),
                        has_table_privilege('service_role', 'fresh', privilege),
                        has_table_privilege('anon', 'old', privilege)), ', ' order by privilege)
                    from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
                    """)
                    == "DELETE t t f, INSERT t t f, SELECT t t f, TRUNCATE f t f, UPDATE t t f")
        }
        try await withDatabase(at: cluster.conninfo(database: "grants", user: "authenticator")) { database in
            #expect(await sqlState { try await database.query("select * from fresh") } == "42501")
            try await database.withTransaction { session in
                try await session.query("set local role authenticated")
                try await session.query("insert into fresh default values")
                #expect(try await session.query("select x from fresh").int(0, 0) == 1)
            }
        }
    }

    @Test(
        "The owner of a database with CREATEROLE gets all but what only a superuser can do, until one comes by"
    )
    func owner() async throws {
        let cluster = try await ThrowawayCluster.start()
        try await withDatabase(at: cluster.conninfo()) { database in
            try await database.script("create role plain login; create role owner login createrole")
        }
        try await createDatabase("managed", on: cluster, owner: "owner")
        try await createDatabase("poor", on: cluster, owner: "plain")

        // Without CREATEROLE the first step says what is missing; without CREATE, so does the schema.
        try await withDatabase(at: cluster.conninfo(database: "poor", user: "plain")) { database in
            let found = await fault { () async throws(MigrationFault) in _ = try await migrate(database) }
            #expect(found?.fault.code == "APUS202")
            #expect(
                found?.fault.message.contains("missing for roles") == true, "\(String(describing: found))")
            #expect(found?.fault.hint?.contains("CREATEROLE") == true)
        }
        try await withDatabase(at: cluster.conninfo(database: "managed", user: "plain")) { database in
            let found = await fault { () async throws(MigrationFault) in _ = try await migrate(database) }
            #expect(found?.fault.code == "APUS202")
            #expect(
                found?.fault.message.contains("missing for schema apus") == true,
                "\(String(describing: found))")
        }

        try await withDatabase(at: cluster.conninfo(database: "managed", user: "owner")) { database in
            let first = try await migrate(database, trigger: Self.trigger)
            #expect(first.applied == Self.numbers(without: [6, 9]) && first.left == [6, 9])
            let second = try await migrate(database, trigger: Self.trigger)
            #expect(second.applied == [] && second.left == [6, 9])
            // It can serve as well: become a role, without being one.
            for role in ["anon", "authenticated", "service_role"] {
                try await database.withTransaction { session in
                    try await session.query("set local role \(ident: role)")
                    #expect(try await session.query("select auth.uid()").isNull(0, 0))
                }
            }
        }
        try await withDatabase(at: cluster.conninfo(database: "managed")) { database in
            let superuser = try await migrate(database, trigger: Self.trigger)
            #expect(superuser.applied == [6, 9] && superuser.left == [])
            #expect(
                try await roles(database)
                    == "anon f f f, authenticated f f f, authenticator t f f, service_role f f t")
        }
        // The roles are there now, but they are not this owner's to grant; they need not be.
        try await withDatabase(at: cluster.conninfo(database: "poor", user: "plain")) { database in
            let poor = try await migrate(database)
            #expect(poor.applied == Self.numbers(without: [3, 9, 24]) && poor.left == [3, 24])
        }
        try await cluster.stop(.immediate)
    }

    @Test("Many nodes of many databases of one new cluster can start at once")
    func atOnce() async throws {
        let cluster = try await ThrowawayCluster.start()
        let names = (0..<4).map { "node_\($0)" }
        for name in names { try await createDatabase(name, on: cluster) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names + names {
                group.addTask {
                    try await withDatabase(at: cluster.conninfo(database: name)) { database in
                        try await SystemMigrator(
                            database: database, steps: SystemStep.all(catalogEventTrigger: nil)
                        ).run()
                    }
                }
            }
            try await group.waitForAll()
        }
        for name in names {
            try await withDatabase(at: cluster.conninfo(database: name)) { database in
                let count = try await database.value("select count(*) from apus.system_migrations")
                #expect(count == "\(Self.numbers(without: [9]).count)")
            }
        }
        try await cluster.stop(.immediate)
    }

    @Test("A database that was Supabase's keeps its roles and functions as they are")
    func supabase() async throws {
        let cluster = try await ThrowawayCluster.start()
        try await withDatabase(at: cluster.conninfo()) { database in
            try await database.script(
                """
                create role anon nologin noinherit; create role authenticated nologin noinherit;
                create role service_role nologin noinherit bypassrls;
                create role authenticator login noinherit;
                grant anon, authenticated, service_role to authenticator;
                create role supabase_auth_admin; create role owner login createrole;
                grant anon, authenticated, service_role to owner;
                """)
            try await createDatabase("supabase", on: cluster, owner: "owner")
        }
        try await withDatabase(at: cluster.conninfo(database: "supabase")) { database in
            try await database.script(
                """
                create schema auth authorization supabase_auth_admin;
                grant usage on schema auth to anon, authenticated, service_role;
                set role supabase_auth_admin;
                create function auth.uid() returns uuid language sql stable as
                    $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
                create function auth.role() returns text language sql stable as $$ select 'mine' $$;
                create function auth.email() returns text language sql stable as $$ select 'mine' $$;
                create function auth.jwt() returns jsonb language sql stable as $$ select '{}'::jsonb $$;
                """)
        }
        try await withDatabase(at: cluster.conninfo(database: "supabase", user: "owner")) { database in
            let result = try await migrate(database)
            // Tables in a schema that is another's are for that one to make.
            let others = [21, 22, 23, 30, 31, 32, 33]
            #expect(result.applied == Self.numbers(without: Set([9] + others)))
            #expect(result.left == others)
            #expect(
                try await database.value(
                    """
                    select count(*) from pg_proc where pronamespace = 'auth'::regnamespace
                        and proowner = 'supabase_auth_admin'::regrole
                    """) == "4")
        }
        try await cluster.stop(.immediate)
    }

    private func sqlState(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? PostgresFault)?.sqlState
        }
    }
}
