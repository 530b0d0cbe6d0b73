import ApusEdge
import ApusPostgres
import ApusRealtime
import ApusServer
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

    @Test func whoComesBackToAReadThatNobodyFollowedMissesNothing() async throws {
        let server = try await LiveTables.start()
        let target = "tasks?order=rank.desc,id&limit=3"
        let first = await EventStream.open(server, target, as: Token.ada)
        let snapshot = try #require(try await first.first("snapshot"))
        var replica = Replica(try snapshot.json)
        try await server.database.run("update library.tasks set title = 'heard' where id = 1")
        let heard = try #require(try await first.first("changes"))
        first.leave()
        #expect(try await eventually { server.live.streams == 0 })
        for statement in [
            "update library.tasks set title = 'missed' where id = 1",
            "insert into library.tasks values (4, '\(Token.adaID)', 'fourth', 4)",
            "update library.tasks set owner = '\(Token.adaID)' where id = 2",
            "delete from library.tasks where id = 3",
        ] { try await server.database.run(statement) }

        // By what it heard last, and by what it heard before that.
        for last in [heard, snapshot] {
            let again = await EventStream.open(
                server, target, as: Token.ada, ["Last-Event-ID": try #require(last.id)])
            #expect(try await again.first("changes") != nil)
            let fresh = await server.get(target, as: Token.ada, ["Apus-Lsn": "FFFFFFFF/FFFFFFFF"])
            var rows = Replica(try snapshot.json)
            if last == heard { try rows.apply(try heard.json) }
            #expect(
                try await eventually {
                    var now = rows
                    for event in again.events where event.name == "changes" { try now.apply(try event.json) }
                    replica = now
                    return now.rows == (try? fresh.json.items)
                }, "\(replica.rows)")
            #expect(!again.events.contains { $0.name == "snapshot" })
            let words = try again.events.flatMap { event in
                try event.json.items.compactMap { change -> String? in
                    guard case .string(let word)? = change["type"],
                        case .number(let id)? = change["row"]?["id"] ?? change["key"]?["id"]
                    else { return nil }
                    return "\(word) \(Int(id))"
                }
            }
            #expect(Set(words).isSuperset(of: ["delete 3", "insert 4", "enter 2", "update 1"]), "\(words)")
            again.leave()
            #expect(try await eventually { server.live.streams == 0 })
        }

        // Somebody else's result, or another read's, is no ground to build on.
        let bens = await EventStream.open(server, target, as: Token.ben, ["Last-Event-ID": heard.id ?? ""])
        #expect(try await bens.first("snapshot") != nil)
        await server.stop()
    }

    @Test func whoWasAwayForLongerThanTheLogStartsAfresh() async throws {
        let server = try await LiveTables.start(["realtime-log-size": "1048576"])
        let target = "tasks?order=id"
        let first = await EventStream.open(server, target, as: Token.ada)
        let snapshot = try #require(try await first.first("snapshot"))
        first.leave()
        #expect(try await eventually { server.live.streams == 0 })
        try await server.database.run("update library.tasks set title = 'missed' where id = 1")
        for id in 1...40 {
            try await server.database.run(
                "insert into library.teams select \(id) * 1000 + i, null from generate_series(1, 300) i")
        }
        #expect(
            try await eventually {
                guard let start = server.realtime.feed.log.start, let id = snapshot.id else { return false }
                let position = UInt64(id.split(separator: "-")[1], radix: 16) ?? .max
                return start.lsn.value > position
            })
        let again = await EventStream.open(
            server, target, as: Token.ada, ["Last-Event-ID": try #require(snapshot.id)])
        let fresh = try #require(try await again.first("snapshot"))
        #expect(try fresh.json[0]?["title"] == "missed")
        #expect(again.events.count == 1)
        await server.stop()
    }

    @Test func aFunctionWhoseTablesAreKnownIsAskedAgainForThemOnly() async throws {
        let server = try await LiveTables.start(
            more: """
                create function library.own_tasks() returns bigint stable
                    begin atomic select count(*) from library.tasks; end;
                """)
        let stream = await EventStream.open(server, "rpc/own_tasks", as: Token.ada)
        #expect(try await stream.first("snapshot")?.json == 2)
        let before = server.live.reads
        for id in 10...30 { try await server.database.run("insert into library.teams values (\(id))") }
        try await server.database.run("insert into library.tasks values (4, '\(Token.adaID)', 'fourth')")
        #expect(try await stream.first("snapshot", after: 1)?.json == 3)
        // One for the change, and one more where it was heard of before it could be seen.
        #expect((1...3).contains(server.live.reads - before), "\(server.live.reads - before)")
        stream.leave()
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
