import ApusEdge
import ApusTestSupport
import Foundation
import Testing

/// What live reads show under random writes, and how often the database is asked for it.
@Suite struct UpkeepTests {
    private static let forced = ["Apus-Lsn": "FFFFFFFF/FFFFFFFF"]

    private static let tables = """
        create type library.mood as enum ('calm', 'loud');
        create table library.notes (
            id int primary key, room int, owner uuid, title text, amount numeric, mood library.mood,
            at timestamptz, done boolean, doubled int generated always as (room * 2) stored);
        create table library.guests (room int, person uuid, primary key (room, person));
        create table library.marks (id int primary key, note int references library.notes on delete cascade);
        grant select on library.notes, library.guests, library.marks to authenticated, anon, service_role;
        alter table library.notes enable row level security;
        create policy own on library.notes to authenticated using (owner = auth.uid() and done is not true);
        create policy shared on library.notes to authenticated
            using (room in (select m.room from library.guests m where m.person = auth.uid()));
        create policy open on library.notes to anon using (room > 2 or owner is null);
        alter table library.guests enable row level security;
        create policy own on library.guests to authenticated using (person = auth.uid());
        """

    private static let filters = [
        "", "room=eq.1", "room=eq.2", "room=in.(0,3)", "room=neq.1", "id=eq.5", "id=gt.6", "title=eq.b",
        "title=is.null", "title=like.*a*", "done=is.true", "done=not.is.true", "amount=gte.2.5",
        "amount=lt.1",
        "mood=eq.loud", "mood=not.in.(loud)", "at=gt.2024-01-02T00:00:00Z", "doubled=eq.4",
        "or=(room.eq.1,title.eq.a)", "and=(room.gt.0,not.or(title.eq.a,done.is.true))",
        "not.and=(room.eq.1,title.eq.b)", "room=eq.1&title=eq.a", "room=isdistinct.1",
        "owner=eq.\(Token.adaID)",
        "room=not.is.null&id=lte.4", "title=match.^[ab]$&room=eq.2",
    ]

    private static let shapes = [
        "order=id", "order=title.desc.nullslast,id", "order=amount,id&limit=3",
        "order=room.desc,id&limit=2&offset=1",
        "order=id&select=id,title", "order=id&select=id,t:title,room,marks(id)&marks.order=id",
        "select=count()",
        "order=title,id&select=title,room",
    ]

    @Test(arguments: ["default", "full"])
    func whateverIsWrittenEveryReadShowsWhatAFreshOneWould(identity: String) async throws {
        let server = try await LiveTables.start(
            ["live-max-messages": "0", "live-max-follows": "1000", "db-aggregates-enabled": "true"],
            more: Self.tables + "alter table library.notes replica identity \(identity);")
        let listener = try await server.listen()
        let people: [(token: String?, client: LiveSocketClient)] = [
            (
                Token.ada,
                try await LiveSocketClient.open(listener, [("Authorization", "Bearer \(Token.ada)")])
            ),
            (
                Token.ben,
                try await LiveSocketClient.open(listener, [("Authorization", "Bearer \(Token.ben)")])
            ),
            (nil, try await LiveSocketClient.open(listener)),
            (Token.service, try await LiveSocketClient.open(listener, [("apikey", Token.service)])),
        ]
        var random = SystemRandomNumberGenerator()
        var targets: [String] = []
        for filter in Self.filters {
            let shape = Self.shapes.randomElement(using: &random) ?? ""
            targets.append("notes?\(filter)&\(shape)".replacing("?&", with: "?"))
        }
        for person in people { for target in targets { person.client.follow(target, target) } }
        for _ in 0..<8 {
            for _ in 0..<12 { try await server.database.run(Self.write(&random)) }
            for person in people {
                for target in targets {
                    let fresh = try await server.get(target, as: person.token, Self.forced).json.items
                    let isSame = try await eventually {
                        LiveReplica.rows(of: target, in: person.client.messages) == fresh
                    }
                    try #require(isSame, "\(target) of \(person.token == nil ? "nobody" : "somebody")")
                    #expect(!person.client.messages.contains { $0["type"] == "error" || $0["type"] == "end" })
                }
            }
        }
        await server.stop()
    }

    /// A random statement, of which some change nothing.
    private static func write(_ random: inout SystemRandomNumberGenerator) -> String {
        func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
        func one(_ texts: [String]) -> String { texts[number(texts.count)] }
        let (id, room) = (number(10), one(["0", "1", "2", "3", "null"]))
        let owner = one(["'\(Token.adaID)'", "'\(Token.benID)'", "null"])
        let title = one([
            "'a'", "'b'", "'ab'", "null",
            "(select string_agg(md5(g::text), '') from generate_series(1, 200) g)",
        ])
        let values = """
            \(room), \(owner), \(title), \(one(["0.5", "1", "2.50", "10", "null"])), \
            \(one(["'calm'", "'loud'", "null"])), timestamptz '2024-01-01 00:00Z' + \(number(3)) * interval '1 day', \
            \(one(["true", "false", "null"]))
            """
        let columns = "room, owner, title, amount, mood, at, done"
        switch number(12) {
        case 0...3:
            return
                "insert into library.notes (id, \(columns)) values (\(id), \(values)) on conflict do nothing"
        case 4, 5: return "update library.notes set (\(columns)) = (\(values)) where id = \(id)"
        case 6: return "update library.notes set room = \(room) where id in (\(id), \(number(10)))"
        case 7: return "delete from library.notes where id = \(id)"
        case 8:
            return """
                update library.notes set id = \(id) where id = \(number(10))
                    and not exists (select from library.notes where id = \(id))
                    and not exists (select from library.marks m where m.note = notes.id)
                """
        case 9:
            return number(6) == 0
                ? "truncate library.notes cascade"
                : "insert into library.marks select \(number(100)), n.id from library.notes n where n.id = \(id) "
                    + "on conflict do nothing"
        case 10:
            return "insert into library.guests values (\(number(4)), '\(one([Token.adaID, Token.benID]))') "
                + "on conflict do nothing"
        default: return "delete from library.guests where room = \(number(4))"
        }
    }

    /// A server with a thousand seats, each in a hall of its own, which one connection may all follow.
    private static func seats() async throws -> TestServer {
        try await LiveTables.start(
            ["live-max-messages": "0", "live-max-follows": "1000"],
            more: """
                create table library.seats (id int primary key, hall int, label text);
                grant select on library.seats to service_role;
                insert into library.seats select i, i, 'free' from generate_series(1, 1000) i;
                """)
    }

    @Test func aChangeHasOnlyThoseReadsAskedAgainThatItConcerns() async throws {
        let server = try await Self.seats()
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener, [("apikey", Token.service)])
        for hall in 1...1000 { client.follow("\(hall)", "seats?hall=eq.\(hall)") }
        #expect(
            try await eventually(within: .seconds(60)) {
                client.messages.count { $0["type"] == "snapshot" } >= 1000
            })
        // Until the process knows what each of them may show, every change concerns every one: as many reads as follows.
        var round = 0
        var first: Int?
        let isKnown = try await eventually(within: .seconds(180)) {
            round += 1
            let label = "round \(round)"
            let reads = try await Self.reads(server, client, seat: 1, label)
            first = first ?? reads
            return reads < 5
        }
        #expect(isKnown)
        var reads = 0
        for seat in 2...21 { reads += try await Self.reads(server, client, seat: seat, "taken") }
        if ProcessInfo.processInfo.environment["APUS_MEASURE_LIVE"] != nil {
            print("1,000 follows: \(first ?? 0) reads for the first change, \(reads) for 20 others later")
        }
        // One for each; one more where something came between.
        #expect((20...40).contains(reads), "\(reads) reads for 20 changes")
        await server.stop()
    }

    /// With new settings all reads end and are followed anew, while nobody knows yet where the feed is.
    @Test func readsFollowedBeforeTheFeedHasSpokenAreJudgedOnceItHas() async throws {
        let server = try await Self.seats()
        let client = try await LiveSocketClient.open(try await server.listen(), [("apikey", Token.service)])
        var follows = Dictionary(uniqueKeysWithValues: (1...100).map { ("\($0)", 0) })
        // As clients do, follows again what has ended; a change of the schema may end it as well.
        func followEnded() -> Set<String> {
            var (ends, current) = ([String: Int](), Set<String>())
            for message in client.messages {
                guard case .string(let id)? = message["id"] else { continue }
                if message["type"] == .string("end") {
                    ends[id, default: 0] += 1
                    current.remove(id)
                }
                if message["type"] == .string("snapshot") { current.insert(id) }
            }
            for (id, count) in follows where count <= ends[id, default: 0] {
                client.follow(id, "seats?hall=eq.\(id)")
                follows[id] = count + 1
            }
            return current
        }
        for turn in 0...5 {
            if turn > 0 {
                try server.reconfigure(["live-max-messages": "0", "live-max-streams": "\(5_000 + turn)"])
            }
            let allAreFollowed = try await eventually {
                let current = followEnded()
                return follows.allSatisfy { id, count in count > turn && current.contains(id) }
            }
            #expect(allAreFollowed, "turn \(turn)")
            var round = 0
            let isKnown = try await eventually {
                round += 1
                let reads = try await Self.reads(server, client, seat: 1, "turn \(turn), round \(round)") {
                    _ = followEnded()
                }
                return reads < 5
            }
            #expect(isKnown, "turn \(turn)")
        }
        await server.stop()
    }

    /// The feed leaves tables without a key out.
    @Test func aReadOfWhatTheFeedDoesNotBringIsAskedAgainAtEveryChange() async throws {
        let server = try await LiveTables.start(
            more: """
                create table library.loose (label text);
                grant select on library.loose to service_role;
                """)
        let client = try await LiveSocketClient.open(try await server.listen(), [("apikey", Token.service)])
        client.follow("loose", "loose")
        #expect(try await client.first("snapshot", "loose") != nil)
        var count = 0
        // Ten seconds after the last time it would be asked again by itself.
        let isAskedEachTime = try await eventually {
            count += 1
            let before = server.live.reads
            try await server.database.run("insert into library.loose values ('\(count)')")
            try await server.database.run("update library.tasks set rank = \(count) where id = 1")
            _ = try await eventually { server.live.reads > before }
            return count == 20
        }
        #expect(isAskedEachTime, "\(count) changes in a minute")
        #expect(try await eventually { LiveReplica.rows(of: "loose", in: client.messages).count == count })
        await server.stop()
    }

    /// How often the database is asked for what a thousand follow, by how many different reads that is.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["APUS_MEASURE_LIVE"] != nil))
    func whatAChangeCosts() async throws {
        for distinct in [1, 10, 100, 1000] {
            let server = try await Self.seats()
            let client = try await LiveSocketClient.open(
                try await server.listen(), [("apikey", Token.service)])
            for follow in 1...1000 {
                client.follow("\(follow)", "seats?hall=eq.\((follow - 1) % distinct + 1)")
            }
            _ = try await eventually {
                client.messages.count { $0["type"] == "snapshot" } >= 1000
            }
            var round = 0
            _ = try await eventually {
                round += 1
                return try await Self.reads(server, client, seat: 1, "round \(round)") < 5
            }
            var reads = 0
            for change in 1...50 {
                reads += try await Self.reads(server, client, seat: 1 + change % distinct, "change \(change)")
            }
            let before = server.live.reads
            try await server.database.run(
                "do $$ begin for i in 1..1000 loop update library.seats set label = i::text where id = 1; commit; end loop; end $$"
            )
            _ = try await eventually {
                LiveReplica.rows(of: "1", in: client.messages).first?["label"] == "1000"
            }
            print(
                "1,000 follows of \(distinct) reads: \(Double(reads) / 50) reads a change; "
                    + "\(server.live.reads - before) for 1,000 changes of one row in a row")
            await server.stop()
        }
    }

    /// How often the database was asked until the follow of a seat's hall showed the seat's new label.
    private static func reads(
        _ server: TestServer, _ client: LiveSocketClient, seat: Int, _ label: String,
        meanwhile: () -> Void = {}
    ) async throws -> Int {
        let before = server.live.reads
        try await server.database.run("update library.seats set label = '\(label)' where id = \(seat)")
        let isShown = try await eventually {
            meanwhile()
            return LiveReplica.rows(of: "\(seat)", in: client.messages).first?["label"] == .string(label)
        }
        #expect(isShown, "seat \(seat)")
        return server.live.reads - before
    }
}
