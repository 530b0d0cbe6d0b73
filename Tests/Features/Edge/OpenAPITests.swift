import ApusTestSupport
import Testing

/// The OpenAPI 3.1 document: whom it shows what, and how it is cached.
@Suite struct OpenAPITests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func showsWhatItsReaderMayUse() async throws {
        let reply = await server.get("openapi.json")
        #expect(reply.status == 200)
        #expect(reply.field("Content-Type") == "application/json; charset=utf-8")
        let document = try reply.json
        #expect(document["openapi"] == "3.1.0")
        #expect(document["paths"]?["/books"]?["get"]?["operationId"] == "read_books")
        #expect(document["paths"]?["/rpc/add"] != nil)
        #expect(document["paths"]?["/loans"] == nil, "anonymous callers may not see it")
        let mine = try await server.get("openapi.json", as: Token.ada).json
        #expect(mine["paths"]?["/loans"] != nil)
        #expect(mine["components"]?["schemas"]?["loans"]?["properties"]?["taken"] != nil)
    }

    @Test func followsTheSchemaOfTheProfile() async throws {
        let reply = await server.get("openapi.json", ["Accept-Profile": "archive"])
        #expect(try reply.json["paths"]?["/scrolls"] != nil)
        #expect(try reply.json["paths"]?["/books"] == nil)
        #expect(reply.field("Content-Profile") == "archive")
        let refused = await server.get("openapi.json", ["Accept-Profile": "stacks"])
        #expect(refused.code == "PGRST106")
    }

    @Test func isNotSentTwice() async throws {
        let first = await server.get("openapi.json")
        let tag = try #require(first.field("ETag"))
        let second = await server.get("openapi.json", ["If-None-Match": tag])
        #expect(second.status == 304)
        #expect(second.bytes.isEmpty)
        #expect(second.field("ETag") == tag)
        // Another reader, another document.
        #expect(await server.get("openapi.json", as: Token.ada, ["If-None-Match": tag]).status == 200)
    }

    @Test func methods() async throws {
        #expect(await server.send(.head, "openapi.json").status == 200)
        #expect(await server.send(.head, "openapi.json").bytes.isEmpty)
        #expect(await server.send(.options, "openapi.json").field("Allow") == "OPTIONS,GET,HEAD")
        #expect(await server.send(.post, "openapi.json", body: "{}").code == "PGRST117")
    }

    @Test func grantsAreSeenAtOnce() async throws {
        // No event trigger tells of a privilege of a role, so the cache must not depend on one.
        let server = try await TestServer.start(
            prepare: "create role openapi_reader; grant openapi_reader to authenticator")
        let reader = Token.make(#"{"role":"openapi_reader"}"#)
        #expect(try await server.get("openapi.json", as: reader).json["paths"]?["/books"] == nil)
        try await server.database.run("grant anon to openapi_reader")
        #expect(try await server.get("openapi.json", as: reader).json["paths"]?["/books"] != nil)
        try await server.database.run("revoke anon from openapi_reader")
        #expect(try await server.get("openapi.json", as: reader).json["paths"]?["/books"] == nil)
        await server.stop()
    }

    @Test func changesWithTheCatalog() async throws {
        let server = try await TestServer.start()
        #expect(try await server.get("openapi.json", as: Token.service).json["paths"]?["/fresh"] == nil)
        try await server.database.run(
            "create table library.fresh (id int primary key); grant select on library.fresh to service_role")
        #expect(
            try await eventually {
                try await server.get("openapi.json", as: Token.service).json["paths"]?["/fresh"] != nil
            })
        await server.stop()
    }

    @Test func canBeOffOrShowAll() async throws {
        let off = try await TestServer.start(["openapi-mode": "disabled"])
        #expect(await off.get("openapi.json").code == "PGRST126")
        await off.stop()
        let all = try await TestServer.start(["openapi-mode": "ignore-privileges"])
        #expect(try await all.get("openapi.json").json["paths"]?["/loans"] != nil)
        await all.stop()
    }
}
