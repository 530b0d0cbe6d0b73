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
        let list = (1...100_000).map(String.init).joined(separator: ",")
        let reply = await server.get("books?id=in.(\(list))&select=id&order=id")
        #expect(reply.status == 200)
        #expect(try reply.json.items.count == 4)
    }

    @Test func longListsInBodiesAndLogic() async throws {
        let list = (1...100_000).map(String.init).joined(separator: ",")
        let nested = await server.get("books?or=(id.in.(\(list)),id.eq.1)&select=id&order=id")
        #expect(nested.status == 200, "\(nested.text.prefix(500))")
        #expect(try nested.json.items.count == 4)
        let negated = await server.get("books?id=not.in.(\(list))&select=id")
        #expect(try negated.json == [])
        let any = await server.get("books?id=eq(any).{\(list)}&select=id&order=id")
        #expect(try any.json.items.count == 4)
    }

    @Test func deepPathsIntoJSON() async throws {
        let path = String(repeating: "->a", count: 20_000)
        let reply = await server.get("books?select=details\(path)")
        #expect(reply.status == 400, "\(reply.text.prefix(500))")
        #expect(reply.code.hasPrefix("APUS44"), "\(reply.text.prefix(500))")
    }

    @Test func manyConditions() async throws {
        let list = Array(repeating: "id.eq.1", count: 20_000).joined(separator: ",")
        let reply = await server.get("books?or=(\(list))&select=id")
        #expect(reply.status == 400)
        #expect(reply.code == "APUS442")
    }

    @Test func manyColumnsOfAWrite() async throws {
        let server = try await Servers.writing.value
        let list = (0..<20_000).map { "c\($0)" }.joined(separator: ",")
        let reply = await server.send(.post, "books?columns=\(list)", as: Token.ada, body: "{}")
        #expect(reply.status == 400)
        #expect(reply.code == "APUS442")
    }

    @Test func manyKeysOfABody() async throws {
        let server = try await Servers.writing.value
        let keys = (0..<20_000).map { "\"c\($0)\": 1" }.joined(separator: ",")
        let reply = await server.send(.post, "books", as: Token.ada, body: "{\(keys)}")
        #expect(reply.status == 400, "\(reply.text.prefix(500))")
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
