import ApusPostgres
import ApusSQL
import ApusTestSupport
import Testing

/// `ETag`, `If-None-Match`, `Prefer: wait` and `Apus-Lsn`.
@Suite struct ConditionalReadTests {
    @Test func aReadThatNothingHasChangedIsAnsweredWithoutAQuery() async throws {
        let server = try await LiveTables.start(["cache-enabled": "false"])
        let first = await server.get("tasks?order=id", as: Token.ada)
        let tag = try #require(first.field("ETag"))
        // A query would wait for the lock.
        try await server.database.withOwner { owner in
            try await owner.withTransaction { session in
                try await session.query("lock table library.tasks in access exclusive mode")
                let second = await server.get("tasks?order=id", as: Token.ada, ["If-None-Match": tag])
                #expect(second.status == 304)
                #expect(second.bytes.isEmpty)
                #expect(second.field("ETag") == tag)
            }
        }

        try await server.database.run("update library.tasks set title = 'new' where id = 1")
        #expect(
            try await eventually {
                await server.get("tasks?order=id", as: Token.ada, ["If-None-Match": tag]).status == 200
            })
        await server.stop()
    }

    @Test func aTagIsNobodyElses() async throws {
        let server = try await LiveTables.start()
        let tag = try #require(await server.get("tasks?order=id", as: Token.ada).field("ETag"))
        let bens = await server.get("tasks?order=id", as: Token.ben, ["If-None-Match": tag])
        #expect(bens.status == 200)
        #expect(try bens.json[0]?["title"] == "second")
        await server.stop()
    }

    @Test func aWriteTellsItsPositionAndItsWriterSeesIt() async throws {
        let server = try await LiveTables.start()
        for round in 1...50 {
            for _ in 0..<3 { _ = await server.get("tasks?id=eq.1", as: Token.ada) }
            let write = await server.send(
                .patch, "tasks?id=eq.1", as: Token.ada, body: #"{"title": "round \#(round)"}"#)
            let position = try #require(write.field("Apus-Lsn"))
            #expect(write.field("Set-Cookie")?.hasPrefix("apus-lsn=\(position);") == true)
            let read = await server.get("tasks?id=eq.1", as: Token.ada)
            #expect(try read.json[0]?["title"] == .string("round \(round)"))
            let other = await server.get(
                "tasks?id=eq.1", as: Token.make(#"{"role":"service_role","n":\#(round)}"#),
                ["Apus-Lsn": position])
            #expect(try other.json[0]?["title"] == .string("round \(round)"))
            let browser = await server.get(
                "tasks?id=eq.1", as: Token.service, ["Cookie": "a=b; apus-lsn=\(position)"])
            #expect(try browser.json[0]?["title"] == .string("round \(round)"))
        }
        await server.stop()
    }

    @Test func everyKindOfWriteTellsItsPosition() async throws {
        let server = try await LiveTables.start(["db-max-cost": "authenticated=1e9"])
        let part = #"{"id": "a", "method": "PATCH", "path": "/tasks?id=eq.1", "body": {"title": "batch"}}"#
        let batch = await server.send(
            .post, "$batch", as: Token.service, body: #"{"requests": [\#(part)]}"#)
        let limited = await server.send(
            .patch, "tasks?id=eq.1", as: Token.ada, body: #"{"title": "within cost"}"#)
        var idempotent: [Reply] = []
        for _ in 0..<2 {
            idempotent.append(
                await server.send(
                    .patch, "tasks?id=eq.1", as: Token.service, ["Idempotency-Key": "once"],
                    body: #"{"title": "once"}"#))
        }
        #expect(idempotent[1].field("Idempotency-Replayed") == "true")
        for reply in [batch, limited] + idempotent {
            #expect((200...204).contains(reply.status), "\(reply.text)")
            #expect(reply.field("Apus-Lsn") != nil)
        }
        let read = await server.get("tasks?id=eq.1", as: Token.ada)
        #expect(try read.json[0]?["title"] == "once")
        await server.stop()
    }

    @Test func aLongPollEndsWithTheChangeOrWithItsTime() async throws {
        let server = try await LiveTables.start()
        let tag = try #require(await server.get("tasks?id=eq.1", as: Token.ada).field("ETag"))
        let idle = await server.get(
            "tasks?id=eq.1", as: Token.ada, ["If-None-Match": tag, "Prefer": "wait=1"])
        #expect(idle.status == 304)
        #expect(idle.field("Preference-Applied") == "wait=1")

        async let waiting = server.get(
            "tasks?id=eq.1", as: Token.ada, ["If-None-Match": tag, "Prefer": "wait=20"])
        // A change that the reader may not see does not wake it for good.
        try await server.database.run("update library.tasks set title = 'hidden' where id = 2")
        try await server.database.run("update library.tasks set title = 'seen' where id = 1")
        let reply = await waiting
        #expect(reply.status == 200)
        #expect(try reply.json[0]?["title"] == "seen")
        await server.stop()
    }

    @Test func whatDependsOnMoreThanRowsHasNoTag() async throws {
        let server = try await LiveTables.start()
        for target in ["moments", "books?published=lt.now", "notices"] {
            for _ in 0..<5 {
                let reply = await server.get(target, as: Token.ada)
                #expect(reply.status == 200)
                #expect(reply.field("ETag") == nil, "\(target)")
            }
        }
        await server.stop()
    }

    @Test func aPolicysOtherTableCountsToo() async throws {
        let server = try await LiveTables.start()
        let tag = try #require(await server.get("boards?order=id", as: Token.ada).field("ETag"))
        for _ in 0..<3 { _ = await server.get("boards?order=id", as: Token.ada) }
        try await server.database.run("update library.teams set member = '\(Token.adaID)' where id = 2")
        #expect(
            try await eventually {
                let reply = await server.get("boards?order=id", as: Token.ada, ["If-None-Match": tag])
                return (try? reply.json.items.count) == 2
            })
        await server.stop()
    }
}
