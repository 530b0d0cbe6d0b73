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

    /// Tags that were given while the feed did not run say what the answer was, and hold as long as it is that.
    @Test func aTagFromBeforeTheFeedIsComparedByContent() async throws {
        let server = try await LiveTables.start()
        let tag = try #require(await server.get("tasks?id=eq.1", as: Token.ada).field("ETag"))
        let content = "W/\"0-0-0-" + tag.split(separator: "-")[3]
        let same = await server.get("tasks?id=eq.1", as: Token.ada, ["If-None-Match": content])
        #expect(same.status == 304, "\(content) \(same.text)")
        // From here on it can be waited with.
        #expect(same.field("ETag")?.hasPrefix("W/\"0-") == false)
        let other = "W/\"0-0-0-1\""
        #expect(
            await server.get("tasks?id=eq.1", as: Token.ada, ["If-None-Match": other]).status == 200)
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

    @Test func whatDependsOnMoreThanRowsIsAskedEachTimeAndToldByItsContent() async throws {
        let server = try await LiveTables.start()
        for target in [
            "moments", "books?published=lt.now", "books?or=(id.eq.1,published.lt.Today)", "notices", "sample",
            "books?title=eq.a&published=lt.now",
        ] {
            var tag = ""
            for _ in 0..<5 {
                let reply = await server.get(target, as: Token.ada)
                #expect(reply.status == 200)
                #expect(Self.isOfContent(reply.field("ETag")), "\(target)")
                tag = reply.field("ETag") ?? ""
            }
            if target == "sample" { continue }
            let again = await server.get(target, as: Token.ada, ["If-None-Match": tag])
            #expect(again.status == (target == "moments" ? 200 : 304), "\(target)")
        }
        await server.stop()
    }

    /// Whether a tag says nothing of how long the answer holds, so that it cannot save a query.
    private static func isOfContent(_ tag: String?) -> Bool { tag?.hasPrefix("W/\"0-0-0-") == true }

    private static let functions = """
        create function library.known(lowest int default 0) returns setof library.tasks stable
            begin atomic select * from library.tasks t where t.rank >= lowest order by t.id; end;
        create function library.counted() returns bigint stable begin atomic select count(*) from library.tasks; end;
        create function library.until_now(at timestamptz default now()) returns bigint stable
            begin atomic select count(*) from library.tasks where at is not null; end;
        create function library.textual() returns bigint stable language sql as 'select count(*) from library.tasks';
        create function library.procedural() returns bigint stable language plpgsql
            as 'begin return (select count(*) from library.tasks); end';
        """

    @Test func aFunctionWhoseBodyPostgreSQLKnowsIsAnsweredWithoutAQuery() async throws {
        let server = try await LiveTables.start(["cache-enabled": "false"], more: Self.functions)
        let targets = [
            "rpc/known?lowest=1", "rpc/known?select=id,title&order=id.desc&limit=2", "rpc/counted",
        ]
        var tags: [String: String] = [:]
        for target in targets {
            let reply = await server.get(target, as: Token.ada)
            #expect(reply.status == 200, "\(reply.text)")
            tags[target] = try #require(reply.field("ETag"))
            #expect(!Self.isOfContent(tags[target]), "\(target)")
        }
        // A query would wait for the lock.
        try await server.database.withOwner { owner in
            try await owner.withTransaction { session in
                try await session.query("lock table library.tasks in access exclusive mode")
                for target in targets {
                    let reply = await server.get(target, as: Token.ada, ["If-None-Match": tags[target] ?? ""])
                    #expect(reply.status == 304, "\(target)")
                }
            }
        }
        #expect(tags["rpc/counted"] != nil)
        let bens = await server.get(
            "rpc/known?lowest=1", as: Token.ben, ["If-None-Match": tags[targets[0]] ?? ""])
        #expect(bens.status == 200)
        async let waiting = server.get(
            "rpc/counted", as: Token.ada,
            ["If-None-Match": tags["rpc/counted"] ?? "", "Prefer": "wait=30"])
        try await server.database.run("insert into library.tasks values (9, '\(Token.adaID)', 'new', 9)")
        #expect(try await waiting.json == 3)
        for target in targets {
            #expect(
                try await eventually {
                    await server.get(target, as: Token.ada, ["If-None-Match": tags[target] ?? ""]).status
                        == 200
                }, "\(target)")
        }
        await server.stop()
    }

    @Test(arguments: ["textual", "procedural", "until_now"])
    func aFunctionThatCannotBeLookedIntoIsToldByItsContent(name: String) async throws {
        let server = try await LiveTables.start(more: Self.functions)
        let target = "rpc/\(name)"
        let first = await server.get(target, as: Token.ada)
        let tag = try #require(first.field("ETag"))
        #expect(Self.isOfContent(tag))
        #expect(await server.get(target, as: Token.ada, ["If-None-Match": tag]).status == 304)
        let idle = await server.get(target, as: Token.ada, ["If-None-Match": tag, "Prefer": "wait=1"])
        #expect(idle.status == 304)
        #expect(idle.field("Preference-Applied") == "wait=1")
        async let waiting = server.get(target, as: Token.ada, ["If-None-Match": tag, "Prefer": "wait=30"])
        try await server.database.run("insert into library.tasks values (9, '\(Token.adaID)', 'new', 9)")
        let reply = await waiting
        #expect(reply.status == 200)
        #expect(try reply.json == 3)
        await server.stop()
    }

    @Test func aTagEndsWithTheDefinitionsAndPrivilegesItWasMadeUnder() async throws {
        let server = try await LiveTables.start(more: Self.functions)
        let changes = [
            (
                "titles",
                "create or replace view library.titles as select id, upper(title) as title from library.boards"
            ),
            ("boards?order=id", "create policy all_of_them on library.boards to authenticated using (true)"),
            (
                "rpc/counted",
                "create or replace function library.counted() returns bigint stable begin atomic select 7::bigint; end"
            ),
            ("tasks?order=id", "revoke select on library.tasks from authenticated"),
        ]
        for (target, change) in changes {
            let tag = try #require(await server.get(target, as: Token.ada).field("ETag"), "\(target)")
            #expect(!Self.isOfContent(tag))
            try await server.database.run(change)
            #expect(
                try await eventually {
                    await server.get(target, as: Token.ada, ["If-None-Match": tag]).status != 304
                }, "\(target)")
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
