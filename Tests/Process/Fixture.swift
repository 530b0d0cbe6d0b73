import ApusTestSupport

/// The little database that the process tests work on.
enum Fixture {
    static let migration = """
        create table things (id int primary key, name text not null);
        insert into things select n, 'thing ' || n from generate_series(1, 100) n;
        create function nap(seconds float) returns text language plpgsql volatile as $$
            begin
                perform pg_sleep(seconds);
                return 'awake';
            end $$;
        create function pass() returns text language plpgsql volatile as $$
            begin
                perform pg_advisory_xact_lock_shared(77);
                return 'passed';
            end $$;
        create function echo(json) returns json language sql immutable as $$ select $1 $$;
        """

    /// Lets no call of `pass` come to its end until what is returned is released.
    static func gate(_ server: ServerProcess) async throws -> Lifeline {
        let address = try await server.databaseAddress()
        // Further commands come from standard input; at its end psql leaves, and with it the lock.
        let gate = try Lifeline(
            "/usr/bin/env", ["psql", address, "-Xqc", "select pg_advisory_lock(77)", "-f", "-"])
        let held = "select count(*) from pg_locks where locktype = 'advisory' and objid = 77 and granted"
        guard try await eventually({ try await server.sql(held) == "1" }) else {
            throw Failure("the gate does not close")
        }
        return gate
    }
}
