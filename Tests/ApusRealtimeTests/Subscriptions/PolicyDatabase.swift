import ApusPostgres
import ApusSQL
import ApusTestSupport
import Logging
import Synchronization

@testable import ApusRealtime

/// A real database with documents of ten thousand random rows, people and their memberships.
enum PolicyDatabase {
    /// A database of its own for each caller, so that policies can be changed.
    static func make(rows: Int = 10_000) async throws -> Database {
        let cluster = try await ThrowawayCluster.shared.value
        let name = "policies_\(counter.add(1, ordering: .relaxed).newValue)"
        let maintenance = connect(cluster.conninfo())
        _ = try await maintenance.query("create database \(ident: name)")
        await maintenance.shutdown()
        let database = connect(cluster.conninfo(database: name))
        try await database.withSession { session in
            try await session.simpleQuery(schema)
            try await session.query("select fill(\(bind: rows))")
        }
        return database
    }

    /// As the feed shows a table's rows: text, a value for each column.
    static func rows(of table: TableAccess, in database: Database) async throws -> [[FeedValue]] {
        let columns = table.columns.map { SQL.ident($0.name) }.joined(separator: ", ")
        let rows = try await database.query(
            "select \(columns) from \(ident: table.schema, table.name) order by id")
        return (0..<rows.count).map { row in
            (0..<rows.columnCount).map { column in
                rows.withBytes(row, column) { $0.map { .text(Array($0)[...]) } ?? .null }
            }
        }
    }

    static func relation(_ table: TableAccess, full: Bool = true) -> FeedRelation {
        FeedRelation(
            oid: table.oid, schema: table.schema, name: table.name,
            columns: table.columns.map {
                .init(
                    name: $0.name, typeOID: $0.typeOID, typeName: $0.typeName,
                    isKey: table.key.contains($0.name))
            }, replicaIdentity: full ? .full : .default)
    }

    static func principal(_ claims: String, role: String = "reader") -> Principal {
        Principal(role: role, claims: Array(claims.utf8))
    }

    // MARK: - Non public

    private static let counter = Atomic<Int>(0)

    private static func connect(_ conninfo: String) -> Database {
        var configuration = DatabaseConfiguration(connectionString: conninfo)
        configuration.connections = 2
        return Database(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static let schema = #"""
        do $$ begin
            create role reader; exception when duplicate_object or unique_violation then null; end $$;
        do $$ begin
            create role writer in role reader;
            exception when duplicate_object or unique_violation then null; end $$;
        create schema auth;
        create function auth.jwt() returns jsonb language sql stable
            return coalesce(nullif(current_setting('request.jwt.claims', true), ''),
                nullif(current_setting('request.jwt.claim', true), ''))::jsonb;
        create function auth.uid() returns uuid language sql stable as $f$
            select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $f$;
        create function auth.role() returns text language sql stable
            return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role';
        create type mood as enum ('calm', 'happy', 'sad');
        create domain label as text;
        create table documents (
            id int primary key, owner_id uuid, team_id bigint, level smallint, "Order No" int, price numeric,
            title text, code varchar(8), kind label, mood mood, is_public boolean, is_old boolean,
            made timestamptz, due timestamp, day date, readers uuid[], tags text[], scores int[], data jsonb,
            ratio float8);
        create table members (user_id uuid, team_id bigint, rank int, title text);
        create table secrets (owner_id uuid, team_id bigint);
        grant usage on schema public, auth to reader;
        grant select on documents, members to reader;
        alter table documents enable row level security;
        alter table members enable row level security;
        create policy own on members using (user_id = auth.uid());
        create function person(n int) returns uuid language sql immutable
            return ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;
        create function opaque(team bigint) returns boolean language plpgsql stable as
            'begin return team % 2 = 0; end';
        insert into members
            select person(u), t, (u * t) % 5, (array['a', 'B', null, 'x'])[1 + (u + t) % 4]
            from generate_series(1, 6) u, generate_series(1, 12) t where (u * 7 + t) % 3 = 0;
        insert into members values (person(1), null, 1, null), (null, 3, 2, 'a');
        create function pick(variadic choices text[]) returns text language sql volatile
            return choices[1 + floor(random() * array_length(choices, 1))::int];
        create function fill(n int) returns void language sql as $f$
            select setseed(0.42);
            insert into documents select i,
                pick('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002',
                    '00000000-0000-4000-8000-000000000003', null)::uuid,
                pick('1', '2', '3', '4', '5', '-9', '9007199254740993', null)::bigint,
                pick('0', '1', '2', '-3', null)::smallint, pick('7', '8', '9', null)::int,
                pick('1.5', '1.50', '0', '-2.25', 'NaN', '12345678901234567890.5', 'Infinity', '100', null)::numeric,
                pick('a', 'A', 'ä', '', 'it''s', 'x "y" \z', 'team', null), pick('a', 'b', 'team', '', null),
                pick('a', 'x', null)::label, pick('calm', 'happy', 'sad', null)::mood,
                pick('true', 'false', null)::boolean, pick('true', 'false', null)::boolean,
                pick('2024-02-29 12:00:00.5+02', '1999-12-31 23:59:59.999999+00', 'infinity', '-infinity',
                    '0044-03-15 12:00:00 BC', '2024-02-29 10:00:00.5+00', null)::timestamptz,
                pick('2024-02-29 12:00:00', '2024-02-29 12:00:00.000001', '0001-01-01 00:00:00', null)::timestamp,
                pick('2024-02-29', '2024-03-01', '0099-12-31 BC', 'infinity', null)::date,
                pick('{}', '{00000000-0000-4000-8000-000000000001}', '{NULL}', null,
                    '{00000000-0000-4000-8000-000000000002,NULL}')::uuid[],
                pick('{}', '{a,"b c",NULL}', '{NULL,"NULL"}', '{"x \"y\" \\z"}', '[0:1]={a,b}', '{{a,b},{c,d}}',
                    null)::text[],
                pick('{1,2}', '{}', '{3,NULL}', null)::int[],
                pick('{"owner": "me"}', '{"n": 1}', null)::jsonb, pick('1.5', 'NaN', null)::float8
            from generate_series(1, n) i $f$;
        """#
}
