import ApusTestSupport
import Testing

/// Reads as streams of server-sent events.
@Suite struct StreamTests {
    @Test func aStreamBeginsWithTheResultAndGoesOnWithItsChanges() async throws {
        let server = try await LiveTables.start()
        let stream = await EventStream.open(server, "tasks?order=rank.desc&limit=2", as: Token.ada)
        #expect(stream.reply.status == 200)
        #expect(stream.reply.field("Content-Type") == "text/event-stream")
        let snapshot = try #require(try await stream.first("snapshot"))
        #expect(try snapshot.json.items.count == 2)
        var replica = Replica(try snapshot.json)

        let steps = [
            "insert into library.tasks values (4, '\(Token.adaID)', 'fourth', 4)",
            "update library.tasks set rank = 9 where id = 1",
            "delete from library.tasks where id = 4",
            "update library.tasks set owner = '\(Token.benID)' where id = 1",
            "update library.tasks set owner = '\(Token.adaID)' where id = 2",
        ]
        for step in steps {
            let before = stream.events.count
            try await server.database.run(step)
            let event = try #require(try await stream.first("changes", after: before), "\(step)")
            try replica.apply(try event.json)
            let fresh = try await server.get("tasks?order=rank.desc&limit=2", as: Token.service).json
            #expect(!fresh.items.isEmpty)
            let own = try await server.get(
                "tasks?order=rank.desc&limit=2", as: Token.ada, ["Apus-Lsn": "FFFFFFFF/FFFFFFFF"]
            ).json
            #expect(replica.rows == own.items)
        }
        stream.leave()
        await server.stop()
    }

    @Test func rowsThatComeIntoViewAreToldApartFromNewOnes() async throws {
        let server = try await LiveTables.start()
        let stream = await EventStream.open(server, "tasks?order=id", as: Token.ada)
        _ = try await stream.first("snapshot")
        func word(after statement: String) async throws -> JSON? {
            let before = stream.events.count
            try await server.database.run(statement)
            return try await stream.first("changes", after: before)?.json[0]?["type"]
        }
        #expect(
            try await word(after: "insert into library.tasks values (9, '\(Token.adaID)', 'x')") == "insert")
        #expect(
            try await word(after: "update library.tasks set owner = '\(Token.adaID)' where id = 2") == "enter"
        )
        #expect(try await word(after: "update library.tasks set title = 'y' where id = 9") == "update")
        #expect(try await word(after: "update library.tasks set owner = null where id = 2") == "leave")
        #expect(try await word(after: "delete from library.tasks where id = 9") == "delete")
        stream.leave()
        await server.stop()
    }

    @Test func embedsAreFollowedThroughAllTheirTables() async throws {
        let server = try await LiveTables.start()
        let stream = await EventStream.open(server, "boards?select=id,title,teams(id)", as: Token.ada)
        let snapshot = try #require(try await stream.first("snapshot"))
        #expect(try snapshot.json.items.count == 1)
        try await server.database.run("update library.teams set member = '\(Token.adaID)' where id = 2")
        let change = try #require(try await stream.first("changes"))
        #expect(try change.json[0]?["type"] == "enter")
        stream.leave()
        await server.stop()
    }

    @Test func aFunctionThatChangesNothingIsFollowedToo() async throws {
        let server = try await LiveTables.start(
            more: """
                create function library.count_tasks() returns bigint stable language sql
                    as 'select count(*) from library.tasks';
                create function library.roll() returns float language sql as 'select random()';
                """)
        let stream = await EventStream.open(server, "rpc/count_tasks", as: Token.ada)
        #expect(try await stream.first("snapshot")?.json == 2)
        try await server.database.run("insert into library.tasks values (4, '\(Token.adaID)', 'fourth')")
        #expect(try await stream.first("snapshot", after: 1)?.json == 3)
        stream.leave()
        let volatile = await EventStream.open(server, "rpc/roll", as: Token.ada)
        #expect(volatile.reply.code == "APUS526")
        await server.stop()
    }

    @Test func aReadThatFailsEndsItsOwnStreamAndNoOther() async throws {
        let server = try await LiveTables.start(
            more: "create policy raising on library.tasks for select to anon using (1 / rank > 0);")
        let raising = await EventStream.open(server, "tasks?order=id")
        let other = await EventStream.open(server, "tasks?order=id", as: Token.ada)
        _ = try await raising.first("snapshot")
        _ = try await other.first("snapshot")
        try await server.database.run("update library.tasks set rank = 0 where id = 1")
        #expect(try await raising.first("end")?.json["code"] == "22012")
        #expect(try await other.first("changes") != nil)
        other.leave()
        await server.stop()
    }

    @Test func whoComesBackMissesNothing() async throws {
        let server = try await LiveTables.start()
        let staying = await EventStream.open(server, "tasks?order=id", as: Token.ada)
        let leaving = await EventStream.open(server, "tasks?order=id", as: Token.ada)
        let snapshot = try #require(try await leaving.first("snapshot"))
        leaving.leave()
        try await server.database.run("update library.tasks set title = 'one' where id = 1")
        _ = try await staying.first("changes")
        let again = await EventStream.open(
            server, "tasks?order=id", as: Token.ada, ["Last-Event-ID": try #require(snapshot.id)])
        let missed = try #require(try await again.first("changes"))
        #expect(try missed.json[0]?["row"]?["title"] == "one")
        let unmoved = await EventStream.open(
            server, "tasks?order=id", as: Token.ada, ["Last-Event-ID": try #require(missed.id)])
        #expect(try await unmoved.first("resumed") != nil)
        #expect(unmoved.events.count == 1)
        let lost = await EventStream.open(
            server, "tasks?order=id", as: Token.ada, ["Last-Event-ID": "1-1-1"])
        #expect(try await lost.first("snapshot") != nil)
        await server.stop()
    }

    @Test func aStreamEndsWithItsToken() async throws {
        let server = try await LiveTables.start()
        // The dialect lets a token live thirty seconds longer, for clocks that differ.
        let seconds = try #require(
            try await server.database.value("select extract(epoch from now())::bigint - 22"))
        let token = Token.make(#"{"role":"authenticated","sub":"\#(Token.adaID)","exp":\#(seconds)}"#)
        let stream = await EventStream.open(server, "tasks?order=id", as: token)
        _ = try await stream.first("snapshot")
        let end = try #require(try await stream.first("end"))
        #expect(try end.json["code"] == "PGRST303")
        #expect(try await eventually { stream.isOver })
        await server.stop()
    }

    @Test func aSchemaThatChangesEndsStreamsWithItsCode() async throws {
        let server = try await LiveTables.start()
        let stream = await EventStream.open(server, "tasks?order=id", as: Token.ada)
        _ = try await stream.first("snapshot")
        try await server.database.run("alter table library.tasks add extra text")
        let end = try #require(try await stream.first("end"))
        #expect(try end.json["code"] == "APUS524")
        await server.stop()
    }

    @Test func withoutAFeedThereIsNoStream() async throws {
        let server = try await Servers.reading.value
        let stream = await EventStream.open(server, "books")
        #expect(stream.reply.status == 503)
        #expect(stream.reply.code == "APUS523")
    }
}

/// A client's list of rows.
private struct Replica {
    var rows: [JSON]

    init(_ snapshot: JSON) { rows = snapshot.items }

    /// As docs/live.md says: out with every row that is named, then in at the index.
    mutating func apply(_ changes: JSON) throws {
        for change in changes.items {
            let id = change["key"]?["id"] ?? change["row"]?["id"]
            rows.removeAll { $0["id"] == id }
        }
        for change in changes.items {
            guard case .number(let index)? = change["index"], let row = change["row"] else { continue }
            rows.insert(row, at: Int(index))
        }
    }
}
