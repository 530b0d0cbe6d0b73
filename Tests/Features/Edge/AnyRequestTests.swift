import ApusREST
import ApusSpecimens
import Testing

/// Thousands of made-up requests against a real database: no 5xx, and nothing runs that is not of a request's shape.
@Suite struct AnyRequestTests {
    /// The generator's relations exist here, so that most of its statements reach PostgreSQL. `pwn()`, which its
    /// values try to call, leaves a trace that no rollback removes.
    private static let schema = """
        create schema test;
        create table test.authors (
            id int primary key default 1, name text, mentor int constraint mentored references test.authors,
            title text, data jsonb, tags text[]);
        create domain test.color as int;
        create table test.books (
            id int primary key default 1, title text, data jsonb, tags text[], words tsvector,
            author_id int constraint written references test.authors, tone test.color, name text);
        create table test.labels (id int primary key default 1, "it's ""odd""; --" text, title text);
        create table test.books_labels (
            book_id int references test.books, label_id int references test.labels, primary key (book_id, label_id));
        create view test.shelf as select id, title from test.books;
        create function test.add(a int, b int default 0) returns int language sql immutable as $$ select a $$;
        create function test.total(variadic n int[]) returns int language sql immutable as $$ select 1 $$;
        create function test.find(wanted text) returns setof test.books language sql stable as
            $$ select * from test.books where title = wanted $$;
        create function test.echo(json) returns int language sql as $$ select 1 $$;
        create function test.plain() returns int language sql as $$ select 1 $$;
        insert into test.authors values (1, 'A', null);
        insert into test.books values (1, 'B', '{"a": [1]}', '{x}', 'b', 1);
        insert into test.labels values (1, 'L');
        insert into test.books_labels values (1, 1);
        create sequence test.trace;
        create function test.pwn() returns int language sql volatile security definer as
            $$ select nextval('test.trace')::int $$;
        create function public.pwn() returns int language sql volatile security definer as
            $$ select nextval('test.trace')::int $$;
        grant usage on schema test to anon;
        grant all on all tables in schema test to anon;
        """
    private static let server = Task {
        try await TestServer.start(
            [
                "db-schemas": "test", "db-tx-end": "rollback", "db-aggregates-enabled": "true",
                "db-plan-enabled": "true", "db-statement-timeout": "5",
            ], prepare: schema)
    }

    @Test func noneBreaksTheServer() async throws {
        let server = try await Self.server.value
        var statuses: [Int: Int] = [:]
        for seed in 0..<4_000 {
            var generator = RequestGenerator(structure: UInt64(seed), values: UInt64(seed))
            let request = generator.request()
            var fields: [String: String] = [:]
            if let first = request.fields.prefer.first { fields["Prefer"] = first }
            if let first = request.fields.accept.first { fields["Accept"] = first }
            fields["Range"] = request.fields.range
            fields["Content-Type"] = request.fields.contentType
            let path = request.path.joined(separator: "/").replacing("\"", with: "%22")
            let target = path + "?" + String(decoding: request.query, as: UTF8.self)
            let reply = await server.send(
                .other(request.method), target, fields, bytes: request.body.isEmpty ? nil : request.body)
            statuses[reply.status, default: 0] += 1
            #expect(reply.status < 500, "\(request.method) \(target) \(fields): \(reply.text)")
        }
        #expect(statuses[200, default: 0] > 100, "too few of them get through: \(statuses)")
        #expect(try await server.database.value("select is_called from test.trace") == "f")
        #expect(try await server.database.value("select count(*) from test.books") == "1")
    }
}
