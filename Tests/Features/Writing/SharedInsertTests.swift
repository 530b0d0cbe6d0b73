import ApusTestSupport
import Testing

/// Inserts by one caller that come together commit together, where nobody can tell.
@Suite struct SharedInsertTests {
    private static let server = Task {
        try await TestServer.start(prepare: FeatureDatabase.withoutSettings + tables)
    }

    /// Alike, but for what makes each insert a transaction of its own.
    private static let tables = """
        create table library.entries (
            id bigint generated always as identity primary key, room int not null check (room > 0),
            guest uuid default auth.uid(), xact text default pg_current_xact_id()::text);
        alter table library.entries enable row level security;
        create policy own on library.entries to authenticated using (guest = auth.uid()) with check (coalesce(room, 0) < 1000);
        create table library.heard_entries (like library.entries including all);
        create function library.hear() returns trigger language plpgsql as
            $$ begin perform pg_notify('entries', 'one more'); return null; end $$;
        create trigger hear after insert on library.heard_entries for each row execute function library.hear();
        create table library.ruled_entries (like library.entries including all);
        create rule hear as on insert to library.ruled_entries do also notify entries;
        create table library.single_entries (like library.entries including all, exclude using btree (room with =));
        create table library.partial_entries (like library.entries including all);
        create unique index on library.partial_entries (room) where room > 5;
        create table library.derived_entries (
            like library.entries including all, twice int generated always as (room * 2) stored unique);
        create table library.keyed_entries (id int primary key, xact text default pg_current_xact_id()::text);
        grant all on library.keyed_entries, library.entries, library.heard_entries, library.ruled_entries, library.single_entries,
            library.partial_entries, library.derived_entries to authenticated;
        """

    private static let cleo = Token.make(
        #"{"role":"authenticated","sub":"00000000-0000-4000-8000-00000000000c","exp":4102444800}"#)

    /// Inserts of these bodies at one moment.
    private static func insert(
        _ table: String, _ bodies: [String], as token: String? = Token.ada
    ) async throws -> [Reply?] {
        try await server.value.together(
            bodies.map { .init(verb: .post, target: table, token: token, body: $0) })
    }

    private static func count(_ what: String, of table: String) async throws -> Int {
        let text = try await server.value.database.value("select \(what) from library.\(table)")
        return text.flatMap { Int($0) } ?? -1
    }

    @Test func `Those that fail undo nobody else's`() async throws {
        var expected: [Int] = []
        for round in 0..<8 {
            let bodies = (0..<48).map { number -> (body: String, status: Int, room: Int) in
                let room = round * 48 + number + 1
                // The first rounds teach the server how long it takes.
                return switch round < 3 ? 0 : number % 12 {
                case 5: (#"{"room": 0}"#, 400, 0)
                case 7: (#"{"room": null}"#, 400, 0)
                case 9: (#"{"room": 1000}"#, 403, 0)
                case 11: (#"{"room": "none"}"#, 400, 0)
                default: (#"{"room": \#(room)}"#, 201, room)
                }
            }
            expected += bodies.map(\.room).filter { $0 > 0 }
            let replies = try await Self.insert("entries", bodies.map(\.body))
            for (reply, body) in zip(replies, bodies) {
                #expect(reply?.status == body.status, "\(body.body): \(reply?.text ?? "")")
            }
        }
        let rows = try await Self.server.value.get("entries?select=room&order=room", as: Token.ada)
        #expect(try rows.json.items.map { $0["room"] } == expected.sorted().map { .number(Double($0)) })
    }

    @Test func `They commit together`() async throws {
        let isShared = try await eventually {
            let bodies = (0..<32).map { _ in #"{"room": 7}"# }
            let replies = try await Self.insert("entries", bodies, as: Token.ben)
            #expect(replies.allSatisfy { $0?.status == 201 })
            let own = "(guest = '\(Token.benID)')"
            let (rows, transactions) = (
                try await Self.count("count(*) filter (where \(own))", of: "entries"),
                try await Self.count("count(distinct xact) filter (where \(own))", of: "entries")
            )
            return transactions < rows
        }
        #expect(isShared)
    }

    @Test(arguments: [
        "heard_entries", "ruled_entries", "single_entries", "partial_entries", "derived_entries",
    ])
    func `Where somebody could tell, each commits alone`(table: String) async throws {
        for round in 0..<4 {
            let bodies = (0..<32).map { #"{"room": \#(round * 32 + $0 + 1)}"# }
            let replies = try await Self.insert(table, bodies)
            #expect(replies.allSatisfy { $0?.status == 201 })
        }
        let rows = try await Self.count("count(*)", of: table)
        #expect(rows == 128)
        #expect(try await Self.count("count(distinct xact)", of: table) == rows)
    }

    @Test func `Whoever brings a key commits alone`() async throws {
        for round in 0..<4 {
            let bodies = (0..<32).map { #"{"id": \#(round * 32 + $0)}"# }
            let replies = try await Self.insert("keyed_entries", bodies)
            #expect(replies.allSatisfy { $0?.status == 201 })
        }
        #expect(try await Self.count("count(distinct xact)", of: "keyed_entries") == 128)
    }

    @Test func `Whoever goes away takes nobody along`() async throws {
        let server = try await Self.server.value
        let bodies = (0..<48).map { #"{"room": \#($0 + 500)}"# }
        let gone: Set<Int> = [3, 4, 17, 40]
        let replies = await server.together(
            bodies.map { .init(verb: .post, target: "entries", token: Self.cleo, body: $0) }, abandoned: gone)
        for (index, reply) in replies.enumerated() where !gone.contains(index) {
            #expect(reply?.status == 201)
        }
        let seen = try await server.get("entries?select=room", as: Self.cleo).json.items.map { $0["room"] }
        for index in bodies.indices where !gone.contains(index) {
            #expect(seen.count { $0 == .number(Double(index + 500)) } == 1)
        }
        for index in gone { #expect(seen.count { $0 == .number(Double(index + 500)) } <= 1) }
    }
}
