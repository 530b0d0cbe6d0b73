import Testing

/// Cross-origin requests (the Fetch standard).
@Suite struct CORSTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    private static let preflight = [
        "Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "X-Client-Info, Prefer",
    ]

    @Test func preflightOfAnyOrigin() async throws {
        let reply = await server.send(.options, "books", Self.preflight)
        #expect(reply.status == 200)
        #expect(reply.field("Access-Control-Allow-Origin") == "*")
        #expect(reply.field("Access-Control-Allow-Methods") == "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD")
        #expect(reply.field("Access-Control-Allow-Headers") == "Authorization, X-Client-Info, Prefer")
        #expect(reply.field("Access-Control-Max-Age") == "86400")
    }

    @Test func answerNamesTheOriginAndWhatScriptsMayRead() async throws {
        let reply = await server.get("books?limit=1", ["Origin": "https://shop.example"])
        #expect(reply.field("Access-Control-Allow-Origin") == "*")
        #expect(reply.field("Access-Control-Expose-Headers")?.contains("Content-Range") == true)
    }

    @Test func errorsCanBeReadFromOtherOrigins() async throws {
        let reply = await server.get("nothing", ["Origin": "https://shop.example"])
        #expect(reply.status == 404)
        #expect(reply.field("Access-Control-Allow-Origin") == "*")
    }

    @Test func onlyTheOriginsOfTheSetting() async throws {
        let server = try await TestServer.start(["server-cors-allowed-origins": "https://shop.example"])
        let known = await server.send(.options, "books", Self.preflight)
        #expect(known.field("Access-Control-Allow-Origin") == "https://shop.example")
        #expect(known.field("Access-Control-Allow-Credentials") == "true")
        let stranger = await server.send(
            .options, "books", Self.preflight.merging(["Origin": "https://evil.example"]) { $1 })
        #expect(stranger.field("Access-Control-Allow-Origin") == nil)
        await server.stop()
    }
}

/// Fields about the request itself: timing, tracing.
@Suite struct HeaderTests {
    @Test func timingOfTheStages() async throws {
        let reply = try await Servers.generous.value.get("books?limit=1", as: Token.ada)
        let stages = (reply.field("Server-Timing") ?? "").split(separator: ", ").map {
            String($0.prefix { $0 != ";" })
        }
        #expect(stages == ["jwt", "parse", "plan", "transaction", "response"])
        #expect(try await Servers.reading.value.get("books?limit=1").field("Server-Timing") == nil)
    }

    @Test func traceFieldComesBack() async throws {
        let reply = try await Servers.generous.value.get("books?limit=1", ["X-Request-Id": "abc-123"])
        #expect(reply.field("X-Request-Id") == "abc-123")
        let fault = try await Servers.generous.value.get("nothing", ["X-Request-Id": "abc-124"])
        #expect(fault.field("X-Request-Id") == "abc-124")
    }

    @Test func answersSayWhatTheyDependOn() async throws {
        let reply = try await Servers.reading.value.get("books?limit=1")
        #expect(reply.field("Vary") == "Accept, Prefer, Range")
    }
}

/// `response.status` and `response.headers`: SQL shapes its response.
@Suite struct ResponseSettingsTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    private func answer(status: String, headers: String) async -> Reply {
        let headers = headers.replacing("\"", with: "\\\"")
        return await server.send(
            .post, "rpc/answer_with", body: #"{"status": "\#(status)", "headers": "\#(headers)"}"#)
    }

    @Test func statusAndFields() async throws {
        let reply = await answer(
            status: "418", headers: #"[{"X-Kind": "teapot"}, {"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}]"#)
        #expect(reply.status == 418, "\(reply.text)")
        #expect(try reply.json == "done")
        #expect(reply.field("X-Kind") == "teapot")
        #expect(reply.fields.filter { $0.name == "Set-Cookie" }.map(\.value) == ["a=1", "b=2"])
    }

    @Test func fieldsReplaceOurs() async throws {
        let reply = await answer(
            status: "200", headers: #"[{"Content-Type": "text/x-own"}, {"Vary": "Moon"}]"#)
        #expect(reply.fields.filter { $0.name.lowercased() == "content-type" }.map(\.value) == ["text/x-own"])
        #expect(reply.fields.filter { $0.name.lowercased() == "vary" }.map(\.value) == ["Moon"])
    }

    @Test func statusThatIsNone() async throws {
        let reply = await answer(status: "very good", headers: "[]")
        #expect(reply.status == 500)
        #expect(reply.code == "PGRST112")
    }

    @Test(arguments: [
        #"{"X-Kind": "no array"}"#, #"[{"X-Kind": 1}]"#, #"[{"a": "1", "b": "2"}]"#, #"[{"": "x"}]"#,
    ])
    func fieldsThatAreNone(headers: String) async throws {
        let reply = await answer(status: "200", headers: headers)
        #expect(reply.status == 500)
        #expect(reply.code == "PGRST111")
    }

    @Test func lineEndsCannotBeSmuggledIn() async throws {
        let reply = await server.send(
            .post, "rpc/answer_with",
            body: #"{"status": "200", "headers": "[{\"X-Kind\": \"a\\r\\nSet-Cookie: stolen=1\"}]"}"#)
        #expect(reply.code == "PGRST111")
        #expect(reply.field("Set-Cookie") == nil)
    }
}
