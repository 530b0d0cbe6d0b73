import Testing

/// `POST $batch`: several requests, in order, in one transaction.
@Suite struct BatchTests {
    private static let server = Task { try await TestServer.start() }
    let server: TestServer

    init() async throws { server = try await Self.server.value }

    private func batch(_ requests: String, as token: String? = Token.ada) async -> Reply {
        await server.send(.post, "$batch", as: token, body: #"{"requests": [\#(requests)]}"#)
    }

    @Test func laterRequestsUseEarlierAnswers() async throws {
        let reply = await batch(
            #"""
            {"id": "book", "method": "POST", "path": "/books?select=id,title",
                "headers": {"Prefer": "return=representation"}, "body": {"title": "Together"}},
            {"method": "POST", "path": "/covers",
                "body": {"book_id": {"$ref": "/book/body/0/id"}, "colour": "grey"}},
            {"id": "look", "path": "/books?id=eq.{/book/body/0/id}&select=title,covers(colour)"}
            """#)
        #expect(reply.status == 200, "\(reply.text)")
        let responses = try reply.json["responses"]
        #expect(responses?.all("status") == [201, 201, 200])
        #expect(responses?[2]?["body"] == [["title": "Together", "covers": ["colour": "grey"]]])
        #expect(try await server.get("books?title=eq.Together").json.items.count == 1)
    }

    @Test func oneFailureUndoesAll() async throws {
        let reply = await batch(
            #"""
            {"method": "POST", "path": "/notices", "body": {"notice": "half done"}},
            {"id": "bad", "method": "POST", "path": "/publishers", "body": {"id": 1, "name": "Twin"}}
            """#)
        #expect(reply.status == 409, "\(reply.text)")
        #expect(reply.code == "23505")
        #expect(reply.field("Apus-Batch-Request") == "bad")
        #expect(try reply.json["request"] == "bad")
        #expect(try await server.get("notices?notice=eq.half done").json == [])
    }

    @Test func everyRequestIsTheCallers() async throws {
        let reply = await batch(
            #"{"path": "/loans?select=id&order=id"}, {"path": "/rpc/caller"}"#, as: Token.ben)
        let responses = try reply.json["responses"]
        #expect(responses?[0]?["body"] == [["id": 3]])
        #expect(responses?[1]?["body"]?["sub"] == .string(Token.benID))
    }

    @Test(arguments: [
        "", #"{"path": "books"}"#, #"{"path": "/$batch"}"#, #"{"method": "TELEPORT", "path": "/books"}"#,
        #"{"id": "a", "path": "/books"}, {"id": "a", "path": "/books"}"#, #"{"path": "/"}"#,
    ])
    func whatIsNone(requests: String) async throws {
        let reply = await batch(requests)
        #expect(reply.status == 400, "\(reply.text)")
        #expect(reply.code == "APUS450")
    }

    @Test func moreThanMayBe() async throws {
        let server = try await TestServer.start(["batch-max-requests": "2"])
        let one = #"{"path": "/genres"}"#
        let reply = await server.send(.post, "$batch", body: #"{"requests": [\#(one), \#(one), \#(one)]}"#)
        #expect(reply.status == 413)
        #expect(reply.code == "APUS451")
        await server.stop()
    }
}
