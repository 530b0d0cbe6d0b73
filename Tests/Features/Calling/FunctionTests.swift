import Testing

/// `/rpc/…`: functions of all forms, called in all ways.
@Suite struct FunctionTests {
    let server: TestServer

    init() async throws { server = try await Servers.writing.value }

    private func post(_ target: String, _ body: String, _ fields: [String: String] = [:]) async -> Reply {
        await server.send(.post, "rpc/" + target, as: Token.ada, fields, body: body)
    }

    // MARK: - Arguments

    @Test func byQuery() async throws {
        #expect(try await server.get("rpc/add?a=1&b=2").json == 3)
    }

    @Test func byBody() async throws {
        #expect(try await post("add", #"{"a": 1, "b": 2}"#).json == 3)
    }

    @Test func byForm() async throws {
        let reply = await post("add", "a=5&b=6", ["Content-Type": "application/x-www-form-urlencoded"])
        #expect(try reply.json == 11)
    }

    @Test func defaultsFillIn() async throws {
        #expect(try await server.get("rpc/add?a=1").json == 11)
        #expect(try await post("add", #"{"a": 1}"#).json == 11)
    }

    @Test func anyNumberOfThem() async throws {
        #expect(try await server.get("rpc/total?numbers=1&numbers=2&numbers=3").json == 6)
        #expect(try await post("total", #"{"numbers": [4, 5]}"#).json == 9)
    }

    @Test func wholeBodyAsOneJSON() async throws {
        #expect(try await post("echo", #"{"a": [1, null]}"#).json == ["a": [1, nil]])
        let array = await post("echo", #"[{"b": 1}]"#)
        #expect(try array.json == [["b": 1]], "\(array.text)")
    }

    @Test func wholeBodyAsText() async throws {
        let reply = await post(
            "echo_text", "plain & simple", ["Content-Type": "text/plain", "Accept": "text/plain"])
        #expect(reply.text == "plain & simple")
        #expect(reply.field("Content-Type") == "text/plain; charset=utf-8")
    }

    @Test func wholeBodyAsBytes() async throws {
        let bytes: [UInt8] = [0, 1, 254, 255]
        let reply = await server.send(
            .post, "rpc/echo_bytes",
            ["Content-Type": "application/octet-stream", "Accept": "application/octet-stream"], bytes: bytes)
        #expect(reply.bytes == bytes)
        #expect(reply.field("Content-Type") == "application/octet-stream")
    }

    // MARK: - Results

    @Test func nothing() async throws {
        let reply = await post("nothing", "{}")
        #expect(reply.status == 204)
        #expect(reply.bytes.isEmpty)
    }

    @Test func noValue() async throws {
        let reply = await post("no_value", "{}")
        #expect(reply.status == 200)
        #expect(reply.text == "null")
    }

    @Test func oneRow() async throws {
        #expect(
            try await server.get("rpc/first_book?select=id,title").json == ["id": 1, "title": "Salt Roads"])
    }

    @Test func outParameters() async throws {
        #expect(try await server.get("rpc/census").json == ["books": 4, "authors": 3])
        #expect(try await server.get("rpc/halve?n=8").json == ["n": 4])
    }

    @Test func setOfValues() async throws {
        #expect(try await server.get("rpc/tag_list").json == ["numbers", "sea", "travel", "verse"])
    }

    @Test func tableIsFilteredOrderedAndCut() async throws {
        let reply = await server.get("rpc/longest?most=3&pages=lt.500&order=pages&limit=1&select=title")
        #expect(try reply.json == [["title": "Winter Proofs"]])
    }

    @Test func setOfRowsEmbeds() async throws {
        let reply = await server.get("rpc/of_genre?wanted=poetry&select=title,publishers(name),authors(name)")
        #expect(
            try reply.json == [
                ["title": "Small Songs", "publishers": ["name": "Lantern"], "authors": [["name": "Cy Moss"]]]
            ])
    }

    @Test func setIsCounted() async throws {
        let reply = await server.get("rpc/longest?most=3&limit=2", ["Prefer": "count=exact"])
        #expect(reply.status == 206)
        #expect(reply.field("Content-Range") == "0-1/3")
    }

    @Test func setWithMaxAffected() async throws {
        let fields = ["Prefer": "handling=strict, max-affected=0"]
        let reply = await server.send(.post, "rpc/drop_notices", as: Token.ada, fields, body: "{}")
        #expect(reply.status == 400, "\(reply.text)")
        #expect(reply.code == "PGRST124")
        let one = await server.send(.post, "rpc/add", as: Token.ada, fields, body: #"{"a": 1}"#)
        #expect(one.code == "PGRST128")
    }

    // MARK: - Methods

    @Test func getMayNotWrite() async throws {
        let reply = await server.get("rpc/keep_notice?notice=hello", as: Token.ada)
        #expect(reply.status == 405)
        #expect(reply.code == "25006")
        #expect(reply.message == "cannot execute INSERT in a read-only transaction")
    }

    @Test func postMayWrite() async throws {
        #expect(try await post("keep_notice", #"{"notice": "hello"}"#).json == "hello")
    }

    @Test(arguments: ["PUT", "PATCH", "DELETE"])
    func otherMethods(method: String) async throws {
        let reply = await server.send(.other(method), "rpc/add", as: Token.ada, body: "{}")
        #expect(reply.status == 405)
        #expect(reply.code == "PGRST101")
        #expect(reply.message == "Cannot use the \(method) method on RPC")
    }

    @Test func settingsOfTheFunctionHoldForItsTransaction() async throws {
        let reply = await server.get("rpc/hasty")
        #expect(reply.code == "57014")
        #expect(reply.message == "canceling statement due to statement timeout")
    }
}

/// Which function is meant, and what is said when none or several can be.
@Suite struct FunctionChoiceTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func overloadByTheNamesOfArguments() async throws {
        #expect(try await server.get("rpc/weigh?kilos=1").json == "kilos")
        #expect(try await server.get("rpc/weigh?grams=1").json == "grams")
        #expect(try await server.get("rpc/weigh?grams=1&precise=true").json == "grams")
    }

    @Test func overloadsThatDifferInTypesOnly() async throws {
        let reply = await server.get("rpc/guess?thing=1")
        #expect(reply.status == 300)
        #expect(reply.code == "PGRST203")
        #expect(
            reply.message
                == "Could not choose the best candidate function between: library.guess(thing => integer), library.guess(thing => text)"
        )
    }

    @Test func noSuchFunction() async throws {
        let reply = await server.get("rpc/ad?a=1")
        #expect(reply.status == 404)
        #expect(reply.code == "PGRST202")
        #expect(reply.message == "Could not find the function library.ad(a) in the schema cache")
    }

    @Test func otherArguments() async throws {
        let reply = await server.send(.post, "rpc/add", body: #"{"a": 1, "c": 2}"#)
        #expect(reply.status == 404)
        #expect(reply.code == "PGRST202")
        #expect(reply.hint == "Perhaps you meant to call the function library.add(a, b)")
        #expect(
            reply.details
                == "Searched for the function library.add with parameters a, c or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache."
        )
    }

    @Test func functionOfASchemaThatIsNotExposed() async throws {
        #expect(await server.get("rpc/pg_sleep?seconds=1").code == "PGRST202")
    }
}
