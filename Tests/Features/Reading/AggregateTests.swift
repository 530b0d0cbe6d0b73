import Testing

/// Aggregates: what they give, and that they are off by default.
@Suite struct AggregateTests {
    let server: TestServer

    init() async throws { server = try await Servers.generous.value }

    @Test func overAllRows() async throws {
        let reply = await server.get("books?select=count(),pages.sum(),longest:pages.max(),price.min()")
        #expect(try reply.json == [["count": 4, "sum": 1134, "longest": 540, "min": 8]])
    }

    @Test func groupedByTheOtherColumns() async throws {
        let reply = await server.get("books?select=publisher_id,count()&order=publisher_id.nullslast")
        #expect(
            try reply.json == [
                ["publisher_id": 1, "count": 2], ["publisher_id": 2, "count": 1],
                ["publisher_id": nil, "count": 1],
            ])
    }

    @Test func castsBeforeAndAfter() async throws {
        let reply = await server.get("books?select=pages.avg()::int,rating:details->>rating::numeric.max()")
        #expect(try reply.json == [["avg": 284, "rating": 5]])
    }

    @Test func insideOfALevel() async throws {
        let reply = await server.get("publishers?select=name,books(pages.sum())&order=id&limit=2")
        #expect(
            try reply.json == [
                ["name": "Harbour", "books": [["sum": 530]]], ["name": "Lantern", "books": [["sum": 64]]],
            ])
    }

    @Test func spreadToOneGroups() async throws {
        let reply = await server.get(
            "books?select=pages.sum(),...publishers!inner(name)&order=publishers(name)")
        #expect(try reply.json == [["sum": 530, "name": "Harbour"], ["sum": 64, "name": "Lantern"]])
    }

    @Test func notOverSpreadsOfMany() async throws {
        let reply = await server.get("publishers?select=name,...books(pages.sum())")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST127")
        #expect(reply.message == "Feature not implemented")
    }

    @Test func offByDefault() async throws {
        let reply = try await Servers.reading.value.get("books?select=pages.sum()")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST123")
        #expect(reply.message == "Use of aggregate functions is not allowed")
    }
}
