import Testing

/// PATCH and DELETE.
@Suite struct ChangeTests {
    let server: TestServer

    init() async throws { server = try await Servers.writing.value }

    private func patch(
        _ target: String, _ body: String, _ prefer: String = "return=representation"
    ) async -> Reply {
        await server.send(.patch, target, as: Token.ada, ["Prefer": prefer], body: body)
    }

    private func delete(_ target: String, _ prefer: String = "return=representation") async -> Reply {
        await server.send(.delete, target, as: Token.ada, ["Prefer": prefer])
    }

    @Test func patchChangesWhatIsNamed() async throws {
        let reply = await patch("books?id=eq.1&select=id,title,pages", #"{"pages": 321}"#)
        #expect(reply.status == 200)
        #expect(try reply.json == [["id": 1, "title": "Salt Roads", "pages": 321]])
        #expect(reply.field("Content-Range") == "0-0/*")
    }

    @Test func patchSaysNothingByDefault() async throws {
        let reply = await server.send(.patch, "books?id=lt.3", as: Token.ada, body: #"{"pages": 1}"#)
        #expect(reply.status == 204)
        #expect(reply.bytes.isEmpty)
        #expect(reply.field("Content-Range") == "0-1/*")
    }

    @Test func patchCounts() async throws {
        let reply = await patch("books?id=lt.3", #"{"pages": 1}"#, "count=exact")
        #expect(reply.field("Content-Range") == "0-1/2")
    }

    // MARK: - Some of what is found

    @Test func limitedPatch() async throws {
        let reply = await patch(
            "books?id=gte.1&order=id.desc&limit=2&offset=1&select=id,pages", #"{"pages": 7}"#)
        #expect(reply.status == 200, "\(reply.text)")
        let all = try await server.get("books?select=id&order=id.desc").json.items.compactMap { $0["id"] }
        #expect(try reply.json.items.compactMap { $0["id"] } == Array(all[1...2]))
        #expect(try reply.json.all("pages") == [7, 7])
    }

    @Test func limitedDelete() async throws {
        let one = await delete("covers?order=book_id.desc&limit=1&select=book_id")
        let all = try await server.get("covers?select=book_id&order=book_id.desc").json
        #expect(try one.json.items == Array(all.items.prefix(1)), "\(one.text)")
        #expect(try await delete("covers?order=book_id&limit=0&select=book_id").json == [])
    }

    @Test func limitWithoutKey() async throws {
        let reply = await delete("notices?order=notice&limit=1")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST109")
    }

    @Test(arguments: [
        "books?id=gt.0&limit=1", "books?id=gt.0&offset=1",
        "books?limit=1&order=publishers(name)&select=id,publishers(name)",
    ])
    func limitWithoutOrder(target: String) async throws {
        let reply = await patch(target, #"{"pages": 7}"#)
        #expect(reply.status == 400, "\(reply.text)")
        #expect(reply.code == "PGRST109")
    }

    @Test func patchOfNoRow() async throws {
        let reply = await patch("books?id=eq.0", #"{"pages": 1}"#)
        #expect(reply.status == 200)
        #expect(try reply.json == [])
        #expect(reply.field("Content-Range") == "*/*")
    }

    @Test func patchOfNothingChangesNothing() async throws {
        let reply = await patch("books?id=eq.1", "{}")
        #expect(reply.status == 200)
        #expect(try reply.json == [])
    }

    @Test func patchTakesDefaultsForMissing() async throws {
        let reply = await patch(
            "shelves?room=eq.B&columns=capacity&select=capacity", "{}",
            "return=representation, missing=default")
        #expect(try reply.json == [["capacity": 10]], "\(reply.text)")
    }

    @Test func patchOfAViewThatCannot() async throws {
        let reply = await server.send(
            .patch, "catalogue?id=eq.1", as: Token.service, body: #"{"title": "T"}"#)
        #expect(reply.code == "55000", "\(reply.text)")
        #expect(reply.status == 500)
    }

    @Test func deleteShowsWhatIsGone() async throws {
        let reply = await delete("covers?book_id=eq.3&select=colour")
        #expect(reply.status == 200)
        #expect(try reply.json == [["colour": "green"]])
        #expect(reply.field("Content-Range") == "*/*")
    }

    @Test func deleteSaysNothingByDefault() async throws {
        let reply = await delete("covers?book_id=eq.3", "count=exact")
        #expect(reply.status == 204)
        #expect(reply.bytes.isEmpty)
        #expect(reply.field("Content-Range") == "*/1")
    }

    @Test func deleteOfWhatOthersNeed() async throws {
        let reply = await delete("publishers?id=eq.1")
        #expect(reply.status == 409)
        #expect(reply.code == "23503")
    }

    // MARK: - Guards

    @Test func notMoreThanSoMany() async throws {
        let prefer = "handling=strict, max-affected=1"
        let many = await patch("books?id=lt.3", #"{"pages": 1}"#, prefer)
        #expect(many.status == 400)
        #expect(many.code == "PGRST124")
        #expect(many.message == "Query result exceeds max-affected preference constraint")
        #expect(many.details == "The query affects 2 rows")
        let one = await patch("books?id=eq.1", #"{"pages": 1}"#, prefer)
        #expect(one.status == 204)
        #expect(one.field("Preference-Applied") == "handling=strict, max-affected=1")
        #expect(await delete("covers", prefer).code == "PGRST124")
    }

    @Test func notMoreThanSoManyNeedsStrictness() async throws {
        #expect(await patch("books?id=lt.3", #"{"pages": 1}"#, "max-affected=1").status == 204)
    }

    @Test func oneObjectOrNothingChanges() async throws {
        let one = await server.send(
            .patch, "books?id=eq.1&select=pages", as: Token.ada,
            ["Prefer": "return=representation", "Accept": "application/vnd.pgrst.object+json"],
            body: #"{"pages": 2}"#)
        #expect(try one.json == ["pages": 2])
        let two = await server.send(
            .patch, "books?id=lt.3", as: Token.ada,
            ["Prefer": "return=representation, tx=commit", "Accept": "application/vnd.pgrst.object+json"],
            body: #"{"pages": 2}"#)
        #expect(two.status == 406)
        #expect(two.code == "PGRST116")
        #expect(two.details == "The result contains 2 rows")
        #expect(try await server.get("books?id=lt.3&select=pages&order=id").json.all("pages") == [320, 210])
    }
}
