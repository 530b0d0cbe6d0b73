import Testing

/// What a request may ask at most: whatever is more is refused with a code, and costs nothing.
@Suite struct BoundsTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    private static func nested(_ open: String, _ close: String, _ depth: Int, _ core: String) -> String {
        String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
    }

    @Test func embedsInEmbeds() async throws {
        let more = await server.get(
            "authors?select=" + Self.nested("id,mentor:authors!authors_mentor(", ")", 60, "id"))
        #expect(more.status == 400)
        #expect(more.code == "APUS441")
    }

    @Test func conditionsInConditions() async throws {
        let reply = await server.get("books?and=(" + Self.nested("or(", ")", 3_000, "id.eq.1") + ")")
        #expect(reply.status == 400)
        #expect(reply.code == "APUS441")
    }

    @Test func longLists() async throws {
        let list = (1...20_000).map(String.init).joined(separator: ",")
        let reply = await server.get("books?id=in.(\(list))&select=id&order=id")
        #expect(reply.status == 200)
        #expect(try reply.json.items.count == 4)
    }

    @Test func manyParameters() async throws {
        let reply = await server.get("books?" + (0..<5_000).map { "id=neq.\($0)" }.joined(separator: "&"))
        #expect(reply.status == 400)
        #expect(reply.code == "APUS440")
    }

    @Test func manyItems() async throws {
        let reply = await server.get("books?select=" + (0..<5_000).map { "c\($0):id" }.joined(separator: ","))
        #expect(reply.status == 400)
        #expect(reply.code == "APUS442")
    }

    @Test func deepBodies() async throws {
        let server = try await Servers.writing.value
        let deep = Self.nested("[", "]", 100_000, "")
        let reply = await server.send(.post, "books", as: Token.ada, body: #"{"details": \#(deep)}"#)
        #expect(reply.status == 400)
        #expect(reply.code == "APUS443")
    }
}
