import Testing

/// `Accept`: the forms in which an answer can come.
@Suite struct MediaTypeTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func csv() async throws {
        let reply = await server.get("publishers?order=id", ["Accept": "text/csv"])
        #expect(reply.field("Content-Type") == "text/csv; charset=utf-8")
        #expect(reply.text == "id,name,country\n1,Harbour,PT\n2,Lantern,IE\n3,Quiet,")
    }

    @Test func oneObject() async throws {
        let reply = await server.get("publishers?id=eq.1", ["Accept": "application/vnd.pgrst.object+json"])
        #expect(reply.field("Content-Type") == "application/vnd.pgrst.object+json; charset=utf-8")
        #expect(try reply.json == ["id": 1, "name": "Harbour", "country": "PT"])
    }

    @Test(arguments: [("id=gt.0", "3"), ("id=eq.0", "0")])
    func oneObjectOfNoneOrMany(query: String, rows: String) async throws {
        let reply = await server.get("publishers?\(query)", ["Accept": "application/vnd.pgrst.object+json"])
        #expect(reply.status == 406)
        #expect(reply.code == "PGRST116")
        #expect(reply.message == "Cannot coerce the result to a single JSON object")
        #expect(reply.details == .string("The result contains \(rows) rows"))
    }

    @Test func withoutNulls() async throws {
        let array = await server.get(
            "publishers?id=eq.3", ["Accept": "application/vnd.pgrst.array+json;nulls=stripped"])
        #expect(try array.json == [["id": 3, "name": "Quiet"]])
        #expect(
            array.field("Content-Type") == "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8")
        let object = await server.get(
            "publishers?id=eq.3", ["Accept": "application/vnd.pgrst.object+json;nulls=stripped"])
        #expect(try object.json == ["id": 3, "name": "Quiet"])
    }

    @Test func bestThatThereIs() async throws {
        let reply = await server.get(
            "publishers?id=eq.1&select=id", ["Accept": "image/webp, text/csv;q=0.5, application/json;q=0.4"])
        #expect(reply.text == "id\n1")
    }

    @Test func noneThatThereIs() async throws {
        let reply = await server.get("publishers", ["Accept": "image/webp, text/unknown"])
        #expect(reply.status == 406)
        #expect(reply.code == "PGRST107")
        #expect(reply.message == "None of these media types are available: image/webp, text/unknown")
    }

    @Test func ownTypeForTheRowsOfATable() async throws {
        let reply = await server.get("books?order=id&limit=2", ["Accept": "text/x-titles"])
        #expect(reply.field("Content-Type") == "text/x-titles")
        #expect(reply.text == "Salt Roads; Winter Proofs; ")
    }

    @Test func ownTypeIsNotForOtherTables() async throws {
        #expect(await server.get("publishers", ["Accept": "text/x-titles"]).code == "PGRST107")
    }

    @Test func bytesOfAFunction() async throws {
        let reply = await server.get("rpc/picture?book=1", ["Accept": "image/png"])
        #expect(reply.field("Content-Type") == "image/png")
        #expect(reply.bytes == [0, 1, 255])
    }

    @Test func anyTypeThatTheFunctionChooses() async throws {
        let reply = await server.get("rpc/anything", ["Accept": "text/x-whatever"])
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.field("Content-Type") == "text/x-anything")
        #expect(reply.text == "any bytes")
    }

    // MARK: - Plans

    @Test func planAsText() async throws {
        let server = try await Servers.generous.value
        let reply = await server.get("books?id=eq.1", ["Accept": "application/vnd.pgrst.plan"])
        #expect(reply.status == 200)
        #expect(reply.field("Content-Type")?.hasPrefix("application/vnd.pgrst.plan+text") == true)
        #expect(reply.text.contains("books"))
    }

    @Test func planAsJSON() async throws {
        let server = try await Servers.generous.value
        let reply = await server.get(
            "books?id=eq.1", ["Accept": "application/vnd.pgrst.plan+json; options=analyze|buffers"])
        #expect(try reply.json[0]?["Plan"] != nil)
        #expect(try reply.json[0]?["Execution Time"] != nil)
    }

    @Test func planIsOffByDefault() async throws {
        let reply = await server.get("books", ["Accept": "application/vnd.pgrst.plan"])
        #expect(reply.status == 406)
        #expect(reply.code == "PGRST107")
    }
}
