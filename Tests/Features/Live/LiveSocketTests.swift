import ApusEdge
import ApusHTTP
import ApusPostgres
import ApusRealtime
import ApusServer
import ApusTestSupport
import NIOCore
import Testing

/// `/live/v1`: many live reads on one WebSocket.
@Suite struct LiveSocketTests {
    private static let forced = ["Apus-Lsn": "FFFFFFFF/FFFFFFFF"]

    @Test func manyReadsAreFollowedOnOneConnection() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(
            listener, [("Sec-WebSocket-Protocol", "apus.live.v1, bearer.\(Token.ada)")])
        #expect(client.head.hasPrefix("HTTP/1.1 101"))
        #expect(client.head.contains("Sec-WebSocket-Protocol: apus.live.v1"))
        let targets = [
            "top": "tasks?order=rank.desc&limit=2", "all": "tasks?order=id",
            "plan": "boards?select=id,title,teams(id)",
            "one": "tasks?id=eq.1&select=id,title",
        ]
        for (id, target) in targets { client.follow(id, target) }
        for id in targets.keys { #expect(try await client.first("snapshot", id) != nil, "\(id)") }
        let steps = [
            "insert into library.tasks values (4, '\(Token.adaID)', 'fourth', 4)",
            "update library.tasks set rank = 9, title = 'new' where id = 1",
            "update library.teams set member = '\(Token.adaID)' where id = 2",
            "delete from library.tasks where id = 4",
            "update library.tasks set owner = '\(Token.adaID)' where id = 2",
        ]
        for step in steps { try await server.database.run(step) }
        for (id, target) in targets {
            let fresh = try await server.get(target, as: Token.ada, Self.forced).json.items
            #expect(
                try await eventually { LiveReplica.rows(of: id, in: client.messages) == fresh }, "\(id)")
        }

        client.send(["type": "unfollow", "id": "all"])
        #expect(try await client.first("unfollowed", "all") != nil)
        let before = client.messages.count
        try await server.database.run("update library.tasks set title = 'unheard' where id = 3")
        try await server.database.run("update library.tasks set title = 'heard' where id = 1")
        _ = try await client.first("changes", "one", after: before)
        #expect(!client.messages.dropFirst(before).contains { $0["id"] == "all" })
        client.follow("all", "tasks?order=id")
        #expect(try await client.first("snapshot", "all", after: before) != nil, "the id is free again")
        client.send(["type": "ping"])
        #expect(try await client.first("pong") != nil)
        client.leave()
        #expect(try await eventually { server.live.streams == 0 })
        await server.stop()
    }

    @Test func whoComesBackGoesOnWhereItLeft() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        let staying = try await LiveSocketClient.open(listener, [("Authorization", "Bearer \(Token.ada)")])
        staying.follow("a", "tasks?order=id")
        let snapshot = try #require(try await staying.first("snapshot", "a"))
        try await server.database.run("update library.tasks set title = 'one' where id = 1")
        let change = try #require(try await staying.first("changes", "a"))
        let back = try await LiveSocketClient.open(listener, query: "?apikey=\(Token.ada)")
        back.follow("missed", "tasks?order=id", ["last": snapshot["cursor"]!])
        #expect(try await back.first("changes", "missed")?["data"] == change["data"])
        back.follow("nothing", "tasks?order=id", ["last": change["cursor"]!])
        #expect(try await back.first("resumed", "nothing") != nil)
        back.follow("lost", "tasks?order=id", ["last": "1-1-1"])
        #expect(try await back.first("snapshot", "lost")?["data"]?.items.count == 2)
        // The cursor of one delivery is good for the other.
        let stream = await EventStream.open(
            server, "tasks?order=id", as: Token.ada, ["Last-Event-ID": change["cursor"]!.text!])
        #expect(try await stream.first("resumed") != nil)
        stream.leave()
        await server.stop()
    }

    @Test func whoComesBackAloneHearsWhatItMissed() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        let first = try await LiveSocketClient.open(listener, [("Authorization", "Bearer \(Token.ada)")])
        first.follow("a", "tasks?order=id")
        let snapshot = try #require(try await first.first("snapshot", "a"))
        first.leave()
        #expect(try await eventually { server.live.streams == 0 })
        try await server.database.run("update library.tasks set title = 'missed' where id = 1")
        try await server.database.run("delete from library.tasks where id = 3")
        // A row of which the feed has not told yet leaves without a word about why.
        let written = try #require(
            try await server.database.value("select pg_current_wal_insert_lsn()").flatMap { LSN($0) })
        let feed = server.realtime.feed
        #expect(
            try await eventually {
                feed.requestProgress()
                return feed.caughtUp >= written
            })
        let back = try await LiveSocketClient.open(listener, query: "?apikey=\(Token.ada)")
        back.follow("b", "tasks?order=id", ["last": snapshot["cursor"]!])
        #expect(
            try await eventually {
                let told = back.messages.filter { $0["type"] == "changes" }.flatMap {
                    $0["data"]?.items ?? []
                }
                return told.contains { $0["type"] == "delete" && $0["key"]?["id"] == 3 }
                    && told.contains { $0["type"] == "update" && $0["row"]?["title"] == "missed" }
            }, "\(back.messages)")
        #expect(!back.messages.contains { $0["type"] == "snapshot" })
        back.leave()
        await server.stop()
    }

    @Test func aTokenEndsItsFollowsAndNoOthers() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        // The dialect lets a token live thirty seconds longer, for clocks that differ.
        let seconds = try #require(
            try await server.database.value("select extract(epoch from now())::bigint - 27"))
        let short = Token.make(#"{"role":"authenticated","sub":"\#(Token.adaID)","exp":\#(seconds)}"#)
        let client = try await LiveSocketClient.open(listener, [("Authorization", "Bearer \(short)")])
        client.follow("short", "tasks?order=id")
        client.follow("long", "tasks?order=id", ["token": .string(Token.ben)])
        #expect(try await client.first("snapshot", "short")?["data"]?.items.count == 2)
        #expect(try await client.first("snapshot", "long")?["data"]?.items.count == 1)
        let end = try #require(try await client.first("end", "short"))
        #expect(end["data"]?["code"] == "PGRST303")
        client.follow("late", "tasks?order=id")
        #expect(try await client.first("error", "late")?["data"]?["code"] == "PGRST303")
        try await server.database.run("update library.tasks set title = 'still' where id = 2")
        #expect(try await client.first("changes", "long") != nil)
        client.send(["type": "auth", "token": .string(Token.ada)])
        let told = try #require(try await client.first("authenticated"))
        #expect(told["data"] == ["role": "authenticated", "expires": 4_102_444_800])
        client.follow("late", "tasks?order=id")
        #expect(try await client.first("snapshot", "late") != nil)
        await server.stop()
    }

    @Test func anotherTokenTakesOverWhatIsFollowed() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener)
        client.follow("tasks", "tasks?order=id")
        #expect(try await client.first("snapshot", "tasks")?["data"] == [])
        client.send(["type": "auth", "token": .string(Token.ada)])
        #expect(try await client.first("snapshot", "tasks", after: 1)?["data"]?.items.count == 2)
        // The same person with another token: nothing changes.
        let before = client.messages.count
        client.send([
            "type": "auth",
            "token": .string(
                Token.make(#"{"role":"authenticated","sub":"\#(Token.adaID)","exp":4102444801}"#)),
        ])
        #expect(try await client.first("resumed", "tasks", after: before) != nil)
        try await server.database.run("update library.tasks set title = 'one' where id = 1")
        #expect(try await client.first("changes", "tasks", after: before) != nil)
        client.send(["type": "auth", "token": "no.such.token"])
        #expect(try await client.first("error")?["data"]?["code"]?.text?.hasPrefix("PGRST30") == true)
        let last = client.messages.count
        try await server.database.run("update library.tasks set title = 'two' where id = 1")
        #expect(try await client.first("changes", "tasks", after: last) != nil, "the one before still holds")
        client.send(["type": "auth", "token": nil])
        #expect(try await client.first("snapshot", "tasks", after: last)?["data"] == [])
        await server.stop()
    }

    @Test func whatIsWrongIsToldWithItsCode() async throws {
        let server = try await LiveTables.start(["live-max-follows": "2", "live-max-message": "2048"])
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener, [("apikey", Token.ada)])
        func refusal(_ text: String) async throws -> String? {
            let before = client.messages.count
            client.send(text)
            return try await client.first("error", after: before)?["data"]?["code"]?.text
        }
        let malformed = [
            "", "no json", "[]", "{}", #"{"type":7}"#, #"{"type":"what"}"#, #"{"type":"follow"}"#,
            #"{"type":"follow","id":""}"#, #"{"type":"follow","id":7,"url":"/rest/v1/tasks"}"#,
            #"{"type":"follow","id":"a"}"#, #"{"type":"follow","id":"a","url":"/rest/v1/tasks","last":1}"#,
            #"{"type":"auth"}"#, #"{"type":"unfollow"}"#,
            #"{"type":"follow","id":"\#(String(repeating: "x", count: 129))","url":"/rest/v1/tasks"}"#,
        ]
        for text in malformed { #expect(try await refusal(text) == "APUS527", "\(text)") }
        func follow(_ url: String, _ more: String = "") -> String {
            #"{"type":"follow","id":"a","url":"\#(url)"\#(more)}"#
        }
        #expect(try await refusal(follow("/auth/v1/user")) == "APUS404")
        #expect(try await refusal(follow("/rest/v1")) == "APUS404")
        #expect(try await refusal(follow("/rest/v1/")) == "APUS526")
        #expect(try await refusal(follow("/rest/v1/no_such_table")) == "PGRST205")
        #expect(try await refusal(follow("/rest/v1/tasks?rank=nonsense")) == "PGRST100")
        #expect(try await refusal(follow("/rest/v1/tasks", #","profile":"nowhere""#)) == "PGRST106")
        #expect(try await refusal(follow("/rest/v1/tasks", #","token":"x""#))?.hasPrefix("PGRST30") == true)
        // What only the database knows to be wrong ends the follow.
        client.follow("a", "tasks?rank=eq.")
        #expect(try await client.first("end", "a")?["data"]?["code"] == "22P02")
        client.follow("a", "tasks?order=id")
        client.follow("b", "tasks?order=id.desc")
        #expect(try await client.first("snapshot", "b") != nil)
        #expect(try await refusal(follow("/rest/v1/tasks")) == "APUS528")
        #expect(try await refusal(#"{"type":"follow","id":"c","url":"/rest/v1/tasks"}"#) == "APUS529")
        #expect(client.closeCode == nil)
        client.send(String(repeating: "x", count: 3_000))
        #expect(try await eventually { client.closeCode == 1009 })
        await server.stop()
    }

    @Test func whoTalksTooMuchOrInBytesIsClosed() async throws {
        let server = try await LiveTables.start(["live-max-messages": "5"])
        let listener = try await server.listen()
        let loud = try await LiveSocketClient.open(listener)
        for _ in 0..<20 { loud.send(["type": "ping"]) }
        #expect(try await loud.first("error")?["data"]?["code"] == "APUS530")
        #expect(try await eventually { loud.closeCode == 1008 })
        let binary = try await LiveSocketClient.open(listener)
        binary.send(opcode: 2, [1, 2, 3])
        #expect(try await eventually { binary.closeCode == 1003 })
        await server.stop()
    }

    @Test func followsSurviveNeitherTheSchemaNorTheSettingsButTheConnectionDoes() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener, [("apikey", Token.ada)])
        client.follow("a", "tasks?order=id")
        _ = try await client.first("snapshot", "a")
        try await server.database.run("alter table library.tasks add extra text")
        #expect(try await client.first("end", "a")?["data"]?["code"] == "APUS524")
        let before = client.messages.count
        client.follow("a", "tasks?order=id")
        #expect(try await client.first("snapshot", "a", after: before)?["data"]?[0]?["extra"] == .null)
        try server.reconfigure(["live-max-streams": "10"])
        #expect(try await client.first("end", "a", after: before)?["data"]?["code"] == "APUS524")
        client.follow("a", "tasks?order=id")
        try await server.database.run("update library.tasks set title = 'one' where id = 1")
        // The new configuration may still be reading the schema, which ends follows once more.
        #expect(
            try await eventually {
                if client.messages.last(where: { $0["id"] == "a" })?["type"] == "end" {
                    client.follow("a", "tasks?order=id")
                }
                return LiveReplica.rows(of: "a", in: client.messages).first?["title"] == "one"
            })
        await server.stop()
    }

    @Test func aServerThatStopsSaysSo() async throws {
        let server = try await LiveTables.start()
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener, [("apikey", Token.ada)])
        client.follow("a", "tasks?order=id")
        _ = try await client.first("snapshot", "a")
        await listener.drain(within: .seconds(2))
        #expect(client.closeCode == 1001)
        await server.stop()
    }

    @Test func withoutAFeedEveryFollowIsRefused() async throws {
        let server = try await TestServer.start()
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener)
        client.follow("a", "books")
        #expect(try await client.first("error", "a")?["data"]?["code"] == "APUS523")
        await listener.drain(within: .seconds(1))
        await server.stop()
    }

    @Test func aResultThatIsTooLargeEndsTheFollow() async throws {
        let server = try await LiveTables.start(["live-max-result": "1024"])
        let listener = try await server.listen()
        let client = try await LiveSocketClient.open(listener, [("apikey", Token.ada)])
        client.follow("a", "tasks?order=id")
        _ = try await client.first("snapshot", "a")
        try await server.database.run("update library.tasks set title = repeat('x', 2000) where id = 1")
        #expect(try await client.first("end", "a")?["data"]?["code"] == "APUS531")
        await server.stop()
    }
}
