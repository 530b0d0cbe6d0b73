import ApusTestSupport
import Testing

/// `Idempotency-Key`: a write that may be sent twice happens once.
@Suite struct IdempotencyTests {
    private static let server = Task { try await TestServer.start() }
    let server: TestServer

    init() async throws { server = try await Self.server.value }

    private func insert(_ name: String, key: String, as token: String = Token.ada) async -> Reply {
        await server.send(
            .post, "notices?select=notice", as: token,
            ["Idempotency-Key": key, "Prefer": "return=representation"], body: #"{"notice": "\#(name)"}"#)
    }

    private func count(_ notice: String) async throws -> Int {
        try await server.get("notices?notice=eq.\(notice)").json.items.count
    }

    @Test func secondTimeIsTheFirstAnswer() async throws {
        let first = await insert("once", key: "a-1")
        #expect(first.status == 201, "\(first.text)")
        #expect(first.field("Idempotency-Replayed") == nil)
        let second = await insert("once", key: "a-1")
        #expect(second.status == 201)
        #expect(second.field("Idempotency-Replayed") == "true")
        #expect(second.bytes == first.bytes)
        #expect(try await count("once") == 1)
    }

    @Test func anotherKeyIsAnotherWrite() async throws {
        _ = await insert("twice", key: "b-1")
        _ = await insert("twice", key: "b-2")
        #expect(try await count("twice") == 2)
    }

    @Test func twoKeysAreNone() async throws {
        let reply = await server.send(
            .post, "notices", as: Token.ada, ["Idempotency-Key": "two-1", "idempotency-key": "two-2"],
            body: #"{"notice": "two keys"}"#)
        #expect(reply.status == 400)
        #expect(reply.code == "APUS400")
        #expect(try await count("two keys") == 0)
    }

    @Test func keysBelongToTheirCaller() async throws {
        _ = await insert("both", key: "c-1")
        let other = await insert("both", key: "c-1", as: Token.ben)
        #expect(other.field("Idempotency-Replayed") == nil)
        #expect(try await count("both") == 2)
    }

    @Test func keyOfAnotherRequest() async throws {
        _ = await insert("one thing", key: "d-1")
        let reply = await insert("another thing", key: "d-1")
        #expect(reply.status == 422)
        #expect(reply.code == "APUS422")
        #expect(try await count("another thing") == 0)
    }

    @Test func failureIsNotKept() async throws {
        let fields = ["Idempotency-Key": "e-1"]
        let body = #"{"id": 90, "name": "Late", "country": "XX"}"#
        _ = try await server.database.value(
            "insert into library.publishers values (90, 'Early') returning id")
        let refused = await server.send(.post, "publishers", as: Token.ada, fields, body: body)
        #expect(refused.status == 409)
        #expect(refused.code == "23505")
        _ = try await server.database.value("delete from library.publishers where id = 90 returning id")
        #expect(await server.send(.post, "publishers", as: Token.ada, fields, body: body).status == 201)
    }

    @Test func fiftyAtOnceHappenOnce() async throws {
        let replies = await withTaskGroup(of: Reply.self) { group in
            for _ in 0..<50 { group.addTask { await insert("race", key: "f-1") } }
            return await group.reduce(into: [Reply]()) { $0.append($1) }
        }
        let made = replies.filter { $0.status == 201 }
        let refused = replies.filter { $0.status == 409 }
        #expect(made.count + refused.count == 50, "\(replies.map(\.status))")
        #expect(made.filter { $0.field("Idempotency-Replayed") == nil }.count == 1, "one made it")
        #expect(Set(made.map(\.bytes)).count == 1, "all others got that one's answer")
        #expect(refused.allSatisfy { $0.code == "APUS409" })
        #expect(try await count("race") == 1)
        #expect(await insert("race", key: "f-1").field("Idempotency-Replayed") == "true")
    }

    @Test func keysOfYesterdayAreForgotten() async throws {
        let server = try await TestServer.start(["idempotency-lifetime": "3600"])
        func insert() async -> Reply {
            await server.send(
                .post, "notices", as: Token.ada, ["Idempotency-Key": "g-1"], body: #"{"notice": "kept"}"#)
        }
        #expect(await insert().status == 201)
        try await server.database.run(
            """
            insert into apus.idempotency_keys (scope, key, fingerprint, status, fields, body, expires_at)
            select 'x', n::text, '', 200, '{}', '', now() - interval '1 second' from generate_series(1, 2500) n
            """)
        let life = try await server.database.value(
            "select extract(epoch from expires_at - created_at)::int from apus.idempotency_keys where key = 'g-1'"
        )
        #expect(life == "3600")
        #expect(await server.removeExpiredAnswers() == 2_500, "a thousand at a time, to the last")
        #expect(await server.removeExpiredAnswers() == 0)
        #expect(await insert().field("Idempotency-Replayed") == "true", "what is not over is kept")
        try await server.database.run("update apus.idempotency_keys set expires_at = now()")
        #expect(
            await insert().field("Idempotency-Replayed") == nil, "what is over counts no more, cleaned or not"
        )
        #expect(try await server.get("notices?notice=eq.kept").json.items.count == 2)
        await server.stop()
    }

    @Test(arguments: ["", String(repeating: "k", count: 256)])
    func keyThatIsNone(key: String) async throws {
        let reply = await insert("never", key: key)
        #expect(reply.status == 400)
        #expect(reply.code == "APUS400")
        #expect(try await count("never") == 0)
    }
}
