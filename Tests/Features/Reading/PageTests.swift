import Testing

/// Order, and which part of the rows: limit, offset, `Range`, counts.
@Suite struct PageTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test(
        arguments: [
            ("order=id.desc", [4, 3, 2, 1]), ("order=price.nullsfirst,id", [4, 3, 1, 2]),
            ("order=price.desc.nullslast", [2, 1, 3, 4]), ("order=price.desc", [4, 2, 1, 3]),
            ("order=genre,id.desc", [1, 3, 2, 4]),
            ("order=details->>rating.desc.nullslast,id", [3, 1, 2, 4]),
            ("order=publisher_id.desc.nullslast,id", [3, 1, 2, 4]), ("order=headline", [1, 3, 4, 2]),
        ] as [(String, [JSON])])
    func order(query: String, ids: [JSON]) async throws {
        let reply = await server.get("books?select=id&\(query)")
        #expect(try reply.json.all("id") == ids, "\(reply.text)")
    }

    @Test func orderByAColumnOfAToOneRelation() async throws {
        let reply = await server.get(
            "books?select=id,publishers(name)&order=publishers(name).desc,id&limit=3")
        #expect(try reply.json.all("id") == [4, 3, 1], "\(reply.text)")
    }

    @Test func limitAndOffset() async throws {
        let reply = await server.get("books?select=id&order=id&limit=2&offset=1")
        #expect(try reply.json.all("id") == [2, 3])
        #expect(reply.field("Content-Range") == "1-2/*")
        #expect(reply.status == 200)
    }

    @Test func rangeField() async throws {
        let reply = await server.get("books?select=id&order=id", ["Range": "1-2", "Range-Unit": "items"])
        #expect(try reply.json.all("id") == [2, 3])
        #expect(reply.field("Content-Range") == "1-2/*")
    }

    @Test func rangeToTheEnd() async throws {
        let reply = await server.get("books?select=id&order=id", ["Range": "3-"])
        #expect(try reply.json.all("id") == [4])
    }

    @Test(arguments: [("0-1", 206, "0-1/4"), ("0-3", 200, "0-3/4"), ("2-9", 206, "2-3/4")])
    func exactCount(range: String, status: Int, told: String) async throws {
        let reply = await server.get("books?order=id", ["Range": range, "Prefer": "count=exact"])
        #expect(reply.status == status)
        #expect(reply.field("Content-Range") == told)
        #expect(reply.field("Preference-Applied") == "count=exact")
    }

    @Test func plannedCountIsThePlannersGuess() async throws {
        let reply = await server.get("books", ["Prefer": "count=planned"])
        #expect(reply.field("Content-Range") == "0-3/4")
    }

    @Test func estimatedCountOfFewRowsIsExact() async throws {
        let reply = await server.get("books?id=gt.2", ["Prefer": "count=estimated"])
        #expect(reply.field("Content-Range") == "0-1/2")
    }

    @Test func nothingFound() async throws {
        let reply = await server.get("books?id=eq.0", ["Prefer": "count=exact"])
        #expect(reply.status == 200)
        #expect(reply.field("Content-Range") == "*/0")
        #expect(try reply.json == [])
    }

    @Test func limitZeroIsNoRows() async throws {
        let reply = await server.get("books?limit=0")
        #expect(reply.status == 200)
        #expect(try reply.json == [])
    }

    @Test func behindTheLastRow() async throws {
        let reply = await server.get("books?offset=9", ["Prefer": "count=exact"])
        #expect(reply.status == 416)
        #expect(reply.code == "PGRST103")
        #expect(reply.message == "Requested range not satisfiable")
        #expect(reply.details == "An offset of 9 was requested, but there are only 4 rows.")
        #expect(reply.field("Content-Range") == "*/4")
    }

    @Test func rangeBackwards() async throws {
        let reply = await server.get("books", ["Range": "3-1"])
        #expect(reply.status == 416)
        #expect(reply.code == "PGRST103")
    }

    @Test func negativeLimit() async throws {
        let reply = await server.get("books?limit=-1")
        #expect(reply.status == 416)
        #expect(reply.details == "Limit should be greater than or equal to zero.")
    }

    @Test func headTellsAllButTheBody() async throws {
        let reply = await server.send(.head, "books?limit=2", ["Prefer": "count=exact"])
        #expect(reply.status == 206)
        #expect(reply.bytes.isEmpty)
        #expect(reply.field("Content-Range") == "0-1/4")
        #expect(reply.field("Content-Type") == "application/json; charset=utf-8")
    }

    @Test func locationOfTheAnswerHasTheQuerySorted() async throws {
        let reply = await server.get("books?select=id&limit=1&id=eq.1")
        #expect(reply.field("Content-Location") == "/books?id=eq.1&limit=1&select=id")
    }

    @Test func mostRowsOfASetting() async throws {
        let server = try await TestServer.start(["db-max-rows": "2"])
        let reply = await server.get(
            "books?select=id,translations!translations_original(id)&order=id", ["Prefer": "count=exact"])
        #expect(try reply.json.all("id") == [1, 2])
        #expect(reply.field("Content-Range") == "0-1/4")
        #expect(reply.status == 206)
        await server.stop()
    }
}
