import ApusPostgres
import ApusTestSupport
import Testing

/// Where nothing in the database speaks about responses, bodies are put together by the server out of plain rows. They
/// are, byte for byte, what PostgreSQL makes.
@Suite struct RowFormTests {
    private static let server = Task {
        try await TestServer.start(prepare: FeatureDatabase.withoutSettings + table)
    }

    /// Values of every kind that there is something to say about.
    private static let table = #"""
        create type library.mood as enum ('glad', 'so "so"');
        create domain library.positive as int check (value > 0);
        create table library.kinds (
            id int primary key, flag bool, small int2, big int8, real4 real, real8 float8, exact numeric,
            word text, padded char(5), short varchar(9), one "char", who name, object oid, blob bytea,
            day date, clock time, clock_zone timetz, moment timestamp, moment_zone timestamptz, span interval,
            key uuid, plain json, binary_json jsonb, net inet, bits bit(3), span_range tstzrange, cash money,
            place point, words tsvector, odd library.positive, mood library.mood, list text[], grid int[],
            form library.size, "a ""key"" \ é" text);
        insert into library.kinds (id) values (1);
        insert into library.kinds values (
            2, true, -3, 9007199254740993, 1.5, 1e300, 12345678901234567890.0123456789,
            E'quote " back \\ slash / tab \t line \n bell \x07 end \x7f é 漢 😀', 'ab', '', 'x', 'me', 42, '\x00ff5c22',
            '2026-02-03', '01:02:03.5', '01:02:03+05:30', '2026-02-03 04:05:06.789', '2026-02-03 04:05:06.5+00',
            '1 year 2 mons -3 days 04:05:06', '00000000-0000-4000-8000-00000000000a', '{ "a" :  [1, 2]}',
            '{"b": {"c": null}}', '10.0.0.1/8', B'101', '[2026-01-01,2026-02-01)', 12.5, '(1,2)',
            to_tsvector('simple', 'it''s a "test"'), 7, 'so "so"', '{a,NULL,"b c"}', '{{1,2},{3,4}}', '(1,2)', 'k');
        insert into library.kinds (id, flag, real4, real8, exact, word, day, moment, moment_zone, span) values
            (3, false, 'NaN', 'Infinity', 'NaN', '', 'infinity', 'infinity', '-infinity', '-1 s'),
            (4, false, -0.0, '-Infinity', '-Infinity', E'\x01\x1f\b\f\r', '0044-03-15 BC', '0044-03-15 12:00:00 BC',
                '0044-03-15 12:00:00+00 BC', '0'),
            (5, null, 1e-20, 1e21, 1e-30, '''', '12345-01-01', '12345-01-01 00:00:00', '1850-01-01 00:00:00+00', null);
        grant select on library.kinds to anon;
        """#

    /// Columns one by one: those whose types are not known to the server are converted by the database.
    @Test func everyTypeIsAsTheDatabaseHasIt() async throws {
        let server = try await Self.server.value
        let columns =
            try await server.database.value(
                "select string_agg(attname, '|' order by attnum) from pg_attribute where attrelid = 'library.kinds'::regclass and attnum > 0"
            )?.split(separator: "|").map(String.init) ?? []
        #expect(columns.count > 30)
        for zone in ["UTC", "Asia/Kolkata", "Europe/Amsterdam", "America/St_Johns"] {
            for column in columns + ["*"] {
                let item = column == "*" ? "*" : #""\#(column.replacing("\"", with: "\"\""))""#
                let expected = try await server.database.value(
                    """
                    select json_agg(t) from (select \(item) from library.kinds
                    where set_config('timezone', '\(zone)', false) <> '' order by id) t
                    """)
                let asked = column == "*" ? "*" : Self.quoted(column)
                let target = "kinds?select=\(asked)&order=id"
                // The first answer teaches the server which types there are.
                for _ in 0..<3 {
                    let reply = await server.get(target, fields(zone))
                    #expect(reply.text == expected, "\(column) in \(zone)")
                }
            }
        }
    }

    @Test func oneObject() async throws {
        let server = try await Self.server.value
        let accept = ["Accept": "application/vnd.pgrst.object+json"]
        for columns in ["id,word,moment_zone", "id,list,mood"] {
            let expected = try await server.database.value(
                "select row_to_json(t) from (select \(columns) from library.kinds where id = 2) t")
            for _ in 0..<3 {
                let reply = await server.get("kinds?select=\(columns)&id=eq.2", accept + fields("UTC"))
                #expect(reply.text == expected)
            }
        }
        #expect(await server.get("kinds?select=id", accept).code == "PGRST116")
        #expect(await server.get("kinds?select=id&id=eq.9", accept).code == "PGRST116")
    }

    @Test func datesInAnotherStyleAreLeftToTheDatabase() async throws {
        let server = try await TestServer.start(
            prepare: FeatureDatabase.withoutSettings + Self.table
                + "do $$ begin execute format('alter database %I set datestyle to German', current_database()); end $$;"
        )
        let expected = try await server.database.value(
            "select json_agg(t) from (select id, day, moment from library.kinds order by id) t")
        for _ in 0..<3 {
            #expect(await server.get("kinds?select=id,day,moment&order=id").text == expected)
        }
        await server.stop()
    }

    @Test func aColumnThatChangesItsNameOrTypeIsSeen() async throws {
        let server = try await TestServer.start(
            prepare: FeatureDatabase.withoutSettings
                + "create table library.fresh (id int primary key, a text); insert into library.fresh values (1, '2'); grant select on library.fresh to anon;"
        )
        for _ in 0..<3 { #expect(await server.get("fresh").text == #"[{"id":1,"a":"2"}]"#) }
        try await server.database.run("alter table library.fresh rename a to b")
        #expect(try await eventually { await server.get("fresh").text == #"[{"id":1,"b":"2"}]"# })
        try await server.database.run("alter table library.fresh alter b type int using b::int")
        #expect(try await eventually { await server.get("fresh").text == #"[{"id":1,"b":2}]"# })
        try await server.database.run("alter table library.fresh alter b type int[] using array[b]")
        #expect(try await eventually { await server.get("fresh").text == #"[{"id":1,"b":[2]}]"# })
        await server.stop()
    }

    /// Every question, to a server whose bodies PostgreSQL makes, and to this one.
    @Test(arguments: [
        "publishers?order=id", "books?order=id", "books?select=title,length:pages&id=eq.1", "books?id=eq.0",
        "books?select=pages::text,year:published::timestamp&order=id",
        "books?select=format->width,format->>height&order=id", "books?select=tags->0&id=eq.1",
        "publishers?select=*,again:name&id=eq.1",
        "publishers?select=name,books(id)&order=id&books.order=id.desc",
        "books?select=id,covers(colour)&order=id", "covers?select=colour,books(title)&order=book_id",
        "books?select=id,authors(name)&order=id&authors.order=name",
        "books?select=id,house:publisher_id(name)&order=id",
        "books?select=id,publishers!inner()&publishers.name=eq.Lantern", "books?limit=0",
        "books?select=id&limit=2&order=id",
        "covers?select=colour,...books(title,...publishers(name))&book_id=eq.1",
        "novels?select=title,publishers(name)&order=id",
        "visits?select=*&order=hall,day", "authors?select=*&order=id", "shelves?order=room,number",
        "publishers?select=books()&order=id", "books?select=title,title&id=eq.1", "walls?order=name",
        "books?select=id,title,publishers(*,books(id,covers(*)))&order=id",
    ])
    func sameAsTheDatabaseMakes(target: String) async throws {
        let own = try await Self.server.value
        let other = try await Servers.reading.value
        for fields in [[:], ["Prefer": "count=exact"], ["Range": "0-1"]] {
            let expected = await other.get(target, fields)
            for _ in 0..<3 {
                let reply = await own.get(target, fields)
                #expect(reply.status == expected.status)
                if target.contains("(") {
                    // What is embedded is equal as JSON; its blanks are not.
                    #expect(try reply.json == expected.json)
                } else {
                    #expect(reply.text == expected.text)
                }
                #expect(reply.field("Content-Range") == expected.field("Content-Range"))
                #expect(reply.field("Content-Type") == expected.field("Content-Type"))
            }
        }
    }

    private func fields(_ zone: String) -> [String: String] { ["Prefer": "timezone=\(zone)"] }

    private static func quoted(_ column: String) -> String {
        "%22" + column.replacing("\\", with: "%5C%5C").replacing("\"", with: "%5C%22") + "%22"
    }
}

private func + (left: [String: String], right: [String: String]) -> [String: String] {
    left.merging(right) { $1 }
}

extension TestServer {
    fileprivate func get(_ target: String, _ fields: [String: String]) async -> Reply {
        await send(.get, target, fields)
    }
}
