import Testing

/// Which schema is meant, what is at the root, and what OPTIONS tells.
@Suite struct SchemaTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func firstSchemaByDefault() async throws {
        let reply = await server.get("publishers?id=eq.1")
        #expect(reply.status == 200)
        #expect(reply.field("Content-Profile") == "library")
        #expect(await server.get("scrolls").code == "PGRST205")
    }

    @Test func anotherByProfile() async throws {
        let reply = await server.get("scrolls?select=title&order=id", ["Accept-Profile": "archive"])
        #expect(try reply.json.all("title") == ["Tides", "Winds"])
        #expect(reply.field("Content-Profile") == "archive")
        let call = await server.send(.post, "rpc/oldest", ["Content-Profile": "archive"], body: "{}")
        #expect(try call.json == "Tides")
    }

    @Test func writesByTheProfileOfTheirContent() async throws {
        let server = try await Servers.writing.value
        let reply = await server.send(
            .post, "scrolls", as: Token.service,
            ["Content-Profile": "archive", "Prefer": "return=representation"],
            body: #"{"id": 9, "title": "New"}"#)
        #expect(reply.status == 201)
        #expect(try reply.json == [["id": 9, "title": "New"]])
    }

    @Test func notOneThatIsNotExposed() async throws {
        let reply = await server.get("secrets", as: Token.service, ["Accept-Profile": "stacks"])
        #expect(reply.status == 406)
        #expect(reply.code == "PGRST106")
        #expect(reply.message == "Invalid schema: stacks")
        #expect(reply.hint == "Only the following schemas are exposed: library, archive")
    }

    @Test func documentAtTheRoot() async throws {
        let reply = await server.get("")
        #expect(reply.status == 200)
        #expect(reply.field("Content-Type") == "application/openapi+json; charset=utf-8")
        let paths = try reply.json["paths"]
        #expect(paths?["/books"] != nil)
        #expect(paths?["/rpc/add"] != nil)
        #expect(paths?["/loans"] == nil, "anonymous callers may not see it")
        let mine = await server.get("", as: Token.ada)
        #expect(try mine.json["paths"]?["/loans"] != nil)
    }

    @Test func rootCanBeAFunction() async throws {
        let server = try await TestServer.start(["db-root-spec": "root"])
        #expect(try await server.get("").json == ["it": "is"])
        await server.stop()
    }

    @Test func rootCanBeOff() async throws {
        let server = try await TestServer.start(["openapi-mode": "disabled"])
        let reply = await server.get("")
        #expect(reply.status == 404)
        #expect(reply.code == "PGRST126")
        #expect(reply.message == "Root endpoint metadata is disabled")
        await server.stop()
    }

    @Test(arguments: [
        ("books", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("notices", "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
        ("catalogue", "OPTIONS,GET,HEAD"), ("rpc/add?a=1", "OPTIONS,GET,HEAD,POST"), ("", "OPTIONS,GET,HEAD"),
        ("rpc/nothing", "OPTIONS,POST"),
    ])
    func methods(target: String, allowed: String) async throws {
        let reply = await server.send(.options, target)
        #expect(reply.status == 200)
        #expect(reply.field("Allow") == allowed)
    }

    @Test func methodsOfWhatIsNotThere() async throws {
        #expect(await server.send(.options, "nothing").code == "PGRST205")
    }

    @Test(arguments: [
        ("books/1", 404, "PGRST125"), ("rpc/add/more", 404, "PGRST125"), ("bad%ZZ", 404, "PGRST125"),
        ("bad%FF", 404, "PGRST125"),
    ])
    func pathsThatLeadNowhere(target: String, status: Int, code: String) async throws {
        let reply = await server.get(target)
        #expect(reply.status == status)
        #expect(reply.code == code)
    }

    @Test func methodThatNobodyKnows() async throws {
        let reply = await server.send(.other("TELEPORT"), "books")
        #expect(reply.status == 405)
        #expect(reply.code == "PGRST117")
        #expect(reply.message == "Unsupported HTTP method: TELEPORT")
    }

    @Test func outsideOfThePrefix() async throws {
        let reply = await server.get("/elsewhere")
        #expect(reply.status == 404)
        #expect(reply.field("Content-Type") == "application/problem+json")
        #expect(reply.code == "APUS404")
    }

    @Test func prefixIsASetting() async throws {
        let server = try await TestServer.start(["rest-prefix": "/"])
        #expect(try await server.get("/publishers?id=eq.1&select=name").json == [["name": "Harbour"]])
        #expect(await server.get("/health/live").status == 200)
        await server.stop()
    }

    @Test func healthAndMetrics() async throws {
        #expect(try await server.get("/health/live").json == ["status": "live"])
        #expect(try await server.get("/health/ready").json == ["status": "ready"])
        _ = await server.get("publishers")
        let metrics = await server.get("/metrics")
        #expect(metrics.status == 200)
        #expect(metrics.text.contains("http_server_request_duration_seconds"))
    }
}
