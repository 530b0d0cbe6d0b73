import ApusTestSupport
import Testing

/// How the database's own refusals reach a client.
@Suite struct FaultTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func bodyOfAnError() async throws {
        let reply = await server.send(.post, "rpc/refuse", body: #"{"state": "P0001"}"#)
        #expect(reply.status == 400)
        #expect(reply.field("Content-Type") == "application/json; charset=utf-8")
        #expect(
            try reply.json == [
                "code": "P0001", "message": "No.", "details": "Because.", "hint": "Ask again.",
            ])
        #expect(reply.field("Proxy-Status") == "PostgREST; error=P0001")
    }

    @Test(arguments: [
        ("PT402", 402), ("PT503", 503), ("42501", 401), ("23505", 409), ("53400", 500), ("40001", 500),
        ("0L000", 403), ("54000", 500), ("08000", 503), ("22012", 400), ("P0002", 500),
    ])
    func statusByState(state: String, status: Int) async throws {
        let reply = await server.send(.post, "rpc/refuse", body: #"{"state": "\#(state)"}"#)
        #expect(reply.status == status, "\(reply.text)")
        #expect(reply.code == state)
    }

    @Test func wholeResponseFromSQL() async throws {
        let reply = await server.send(
            .post, "rpc/refuse_in_full",
            body:
                #"{"reply": "{\"code\":\"L1\",\"message\":\"Closed\",\"details\":\"Sunday\",\"hint\":\"Monday\"}", "shape": "{\"status\":451,\"headers\":{\"X-Open\":\"Monday\"}}"}"#
        )
        #expect(reply.status == 451, "\(reply.text)")
        #expect(reply.field("X-Open") == "Monday")
        #expect(try reply.json == ["code": "L1", "message": "Closed", "details": "Sunday", "hint": "Monday"])
    }

    @Test func wholeResponseThatCannotBeRead() async throws {
        let reply = await server.send(
            .post, "rpc/refuse_in_full", body: #"{"reply": "not JSON", "shape": "{\"status\":451}"}"#)
        #expect(reply.status == 500)
        #expect(reply.code == "PGRST121")
    }

    @Test func detailsCanBeKeptBack() async throws {
        let server = try await TestServer.start(["client-error-verbosity": "minimal"])
        let reply = await server.send(.post, "rpc/refuse", body: #"{"state": "P0001"}"#)
        #expect(try reply.json == ["code": "P0001", "message": "No."])
        await server.stop()
    }

    @Test func connectionThatEndsInTheMiddle() async throws {
        // A server of its own: neighbours on the same connection would go down too.
        let server = try await TestServer.start()
        let reply = await server.send(.post, "rpc/hang_up", as: Token.service, body: "{}")
        #expect(reply.status == 503, "\(reply.text)")
        #expect(["57P01", "PGRST001"].contains(reply.code))
        #expect(reply.field("Retry-After") == "1")
        #expect(try await eventually { await server.get("publishers").status == 200 })
        await server.stop()
    }

    @Test(arguments: [
        "select=" + String(repeating: "a,", count: 2_001) + "a",
        String(repeating: "id=gt.0&", count: 1_001) + "id=gt.0",
        "or=" + String(repeating: "(and", count: 30) + "(id.eq.1" + String(repeating: ")", count: 31),
    ])
    func structureHasLimits(query: String) async throws {
        let reply = await server.get("books?\(query)")
        #expect(reply.status == 400)
        #expect(["APUS440", "APUS441", "APUS442"].contains(reply.code), "\(reply.code)")
    }

    @Test func depthOfJSONHasALimit() async throws {
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        let reply = await server.send(.post, "notices", body: #"{"notice": \#(deep)}"#)
        #expect(reply.status == 400)
        #expect(reply.code == "APUS443")
    }

    @Test func nulInAValue() async throws {
        let reply = await server.get("books?title=eq.a%00b")
        #expect(reply.status == 400, "\(reply.text)")
    }
}
