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

    /// What one request says of its response, or has set for itself, is not another's.
    @Test func eachRequestIsAsIfItWereAlone() async throws {
        let alone = try await server.get("rpc/now_text").json
        let reply = await batch(
            #"""
            {"method": "POST", "path": "/rpc/answer_with", "body": {"status": "418", "headers": "[{\"X-Tea\": \"green\"}]"}},
            {"path": "/rpc/now_text", "headers": {"Prefer": "timezone=America/Los_Angeles"}},
            {"path": "/rpc/now_text"}, {"path": "/genres?limit=1"}
            """#)
        let responses = try reply.json["responses"]
        #expect(responses?.all("status") == [418, 200, 200, 200], "\(reply.text)")
        #expect(responses?[0]?["headers"]?["X-Tea"] == "green")
        #expect(responses?[1]?["headers"]?["X-Tea"] == nil)
        #expect(responses?[1]?["body"] == "04:00")
        #expect(responses?[2]?["body"] == alone && alone != "04:00")
    }

    /// Rules about paths and methods hold in a batch, too, and nobody says for a proxy who they are.
    @Test func everyRequestHasItsOwnMethodAndPath() async throws {
        let reply = await server.send(
            .post, "$batch", as: Token.ada, ["User-Agent": "the batch's"],
            body: #"""
                {"requests": [{"path": "/rpc/asked?limit=1", "headers": {"User-Agent": "another"}},
                    {"method": "POST", "path": "/rpc/asked"}]}
                """#)
        let bodies = try reply.json["responses"]?.all("body") ?? []
        #expect(bodies.map { $0["method"] } == ["GET", "POST"], "\(reply.text)")
        #expect(bodies.map { $0["path"] } == ["/rpc/asked", "/rpc/asked"])
        #expect(bodies.map { $0["agent"] } == ["the batch's", "the batch's"])
    }

    @Test func theBatchAsAWholeCanBeTried() async throws {
        let server = try await TestServer.start(["db-tx-end": "commit-allow-override"])
        func send(_ notice: String, _ fields: [String: String], part: String = "{}") async -> Reply {
            await server.send(
                .post, "$batch", as: Token.ada, fields,
                body: #"""
                    {"requests": [{"method": "POST", "path": "/notices", "headers": \#(part), "body": {"notice": "\#(notice)"}}]}
                    """#)
        }
        let tried = await send("tried", ["Prefer": "tx=rollback", "Idempotency-Key": "tried-1"])
        #expect(tried.status == 200, "\(tried.text)")
        #expect(tried.field("Preference-Applied") == "tx=rollback")
        #expect(try await server.get("notices?notice=eq.tried").json == [])
        // The key is not used up.
        let done = await send("tried", ["Idempotency-Key": "tried-1"])
        #expect(done.field("Idempotency-Replayed") == nil && done.field("Preference-Applied") == nil)
        #expect(try await server.get("notices?notice=eq.tried").json.items.count == 1)
        // A part cannot be undone by itself, and does not say that it was.
        let half = await send("half", [:], part: #"{"Prefer": "tx=rollback"}"#)
        #expect(half.code == "APUS450")
        #expect(try await server.get("notices?notice=eq.half").json == [])
        await server.stop()
    }

    @Test func idsOfAllKinds() async throws {
        let reply = await batch(#"{"id": "é%\n", "path": "/none"}"#)
        #expect(reply.status == 404)
        #expect(try reply.json["request"] == "é%\n")
        #expect(reply.field("Apus-Batch-Request") == "%C3%A9%25%0A")
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

    @Test func referencesThatGrowByLeaps() async throws {
        let server = try await TestServer.start(["batch-max-bytes": "100000"])
        // Each answer is four times as large as the one before: the tenth would be half a gigabyte.
        let first = String(repeating: "x", count: 500)
        var requests = [#"{"method": "POST", "path": "/rpc/echo", "body": {"x": "\#(first)"}}"#]
        for earlier in 0..<10 {
            let reference = #"{"$ref": "/\#(earlier)/body"}"#
            let body = ["a", "b", "c", "d"].map { "\"\($0)\": \(reference)" }.joined(separator: ",")
            requests.append(#"{"method": "POST", "path": "/rpc/echo", "body": {\#(body)}}"#)
        }
        let reply = await server.send(
            .post, "$batch", as: Token.ada, body: #"{"requests": [\#(requests.joined(separator: ","))]}"#)
        #expect(reply.status == 413, "\(reply.text.prefix(500))")
        #expect(reply.code == "APUS453")
        await server.stop()
    }

    @Test func answersThatAreTooMuch() async throws {
        let server = try await TestServer.start(["batch-max-bytes": "1000"])
        let body = String(repeating: "x", count: 400)
        let one = #"{"method": "POST", "path": "/rpc/echo", "body": {"x": "\#(body)"}}"#
        let two = await server.send(
            .post, "$batch", as: Token.ada, body: #"{"requests": [\#(one), \#(one)]}"#)
        #expect(two.status == 200, "\(two.text)")
        let three = await server.send(
            .post, "$batch", as: Token.ada,
            body: #"""
                {"requests": [{"method": "POST", "path": "/notices", "body": {"notice": "too much"}},
                    \#(one), \#(one), {"id": "last", "method": "POST", "path": "/rpc/echo", "body": {"x": "\#(body)"}}]}
                """#)
        #expect(three.code == "APUS453")
        #expect(try three.json["request"] == "last")
        #expect(try await server.get("notices?notice=eq.too much").json == [], "all or nothing")
        await server.stop()
    }

    @Test func referencesInPaths() async throws {
        let reply = await batch(
            #"""
            {"id": "name", "method": "POST", "path": "/rpc/echo", "body": {"a/b": ["x&select=id,y", 7, true, null]}},
            {"path": "/books?title=eq.{/name/body/a~1b/0}&id=eq.{/name/body/a~1b/1}&select=id"},
            {"id": "last", "path": "/books?title=eq.{/name/status}"}
            """#)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(try reply.json["responses"]?[1]?["body"] == [], "a value stays a value")
    }

    @Test(arguments: [
        "/book/body", "/book/body/1/id", "/book/body/0/none", "/later/body", "book/body/0", "/book/body/0",
    ])
    func referencesToNothing(pointer: String) async throws {
        let reply = await batch(
            #"""
            {"id": "book", "path": "/books?id=eq.1&select=id"}, {"path": "/books?id=eq.{\#(pointer)}"},
            {"id": "later", "path": "/genres"}
            """#)
        // A path with a brace that begins no reference is a path.
        let expected = pointer.hasPrefix("/") ? "APUS452" : "22P02"
        #expect(reply.status == 400, "\(reply.text)")
        #expect(reply.code == expected)
        #expect(reply.field("Apus-Batch-Request") == "1")
    }

    @Test func keyForAll() async throws {
        let body = #"""
            {"requests": [{"method": "POST", "path": "/notices?select=notice", "body": {"notice": "batched once"},
                "headers": {"Prefer": "return=representation"}}, {"path": "/rpc/caller"}]}
            """#
        let fields = ["Idempotency-Key": "batch-1"]
        let first = await server.send(.post, "$batch", as: Token.ada, fields, body: body)
        #expect(first.status == 200, "\(first.text)")
        #expect(first.field("Idempotency-Replayed") == nil)
        let second = await server.send(.post, "$batch", as: Token.ada, fields, body: body)
        #expect(second.bytes == first.bytes)
        #expect(second.field("Idempotency-Replayed") == "true")
        #expect(try await server.get("notices?notice=eq.batched once").json.items.count == 1)
        let other = await server.send(.post, "$batch", as: Token.ada, fields, body: body + " ")
        #expect(other.code == "APUS422")
        // A batch that fails leaves no key behind.
        let bad = #"{"requests": [{"path": "/books?id=eq.x"}]}"#
        let failing = ["Idempotency-Key": "batch-2"]
        #expect(await server.send(.post, "$batch", as: Token.ada, failing, body: bad).code == "22P02")
        #expect(await server.send(.post, "$batch", as: Token.ada, failing, body: body).status == 200)
    }

    @Test func keyOfAPart() async throws {
        let reply = await batch(
            #"{"method": "POST", "path": "/notices", "headers": {"idempotency-key": "x"}, "body": {"notice": "x"}}"#
        )
        #expect(reply.code == "APUS450")
        #expect(try reply.json["details"]?.text?.contains("belongs to the batch as a whole") == true)
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
