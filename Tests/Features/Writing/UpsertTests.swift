import Testing

/// POST with a resolution, and PUT: rows that may be there already.
@Suite struct UpsertTests {
    let server: TestServer

    init() async throws { server = try await Servers.writing.value }

    private func send(_ target: String, _ body: String, _ prefer: String) async -> Reply {
        await server.send(
            .post, target, as: Token.ada, ["Prefer": prefer + ", return=representation"], body: body)
    }

    @Test func mergeOverwritesAndInserts() async throws {
        let reply = await send(
            "publishers?select=id,name,country",
            #"[{"id": 1, "name": "Harbour & Sons"}, {"id": 60, "name": "New"}]"#,
            "resolution=merge-duplicates")
        #expect(reply.status == 201)
        #expect(
            try reply.json == [
                ["id": 1, "name": "Harbour & Sons", "country": "PT"],
                ["id": 60, "name": "New", "country": nil],
            ])
        #expect(
            reply.field("Preference-Applied") == "resolution=merge-duplicates, return=representation")
    }

    @Test func mergeOfKnownRowsOnlyIsNoCreation() async throws {
        let reply = await send(
            "publishers", #"{"id": 1, "name": "Harbour & Sons"}"#, "resolution=merge-duplicates")
        #expect(reply.status == 200)
    }

    @Test func ignoreLeavesWhatIsThere() async throws {
        let reply = await send(
            "publishers?select=id", #"[{"id": 1, "name": "Other"}, {"id": 61, "name": "New"}]"#,
            "resolution=ignore-duplicates")
        #expect(reply.status == 201)
        #expect(try reply.json == [["id": 61]])
    }

    @Test func onAUniqueColumn() async throws {
        let reply = await send(
            "books?on_conflict=isbn&select=id,pages",
            #"{"isbn": "A-1", "title": "Salt Roads", "pages": 333}"#,
            "resolution=merge-duplicates")
        #expect(try reply.json == [["id": 1, "pages": 333]])
    }

    @Test func onWhatIsNotUnique() async throws {
        let reply = await send(
            "books?on_conflict=title", #"{"title": "Salt Roads"}"#, "resolution=merge-duplicates")
        #expect(reply.status == 400)
        #expect(reply.code == "42P10")
    }

    @Test func withoutResolutionATwinIsAConflict() async throws {
        let reply = await send("publishers", #"{"id": 1, "name": "Twin"}"#, "count=exact")
        #expect(reply.status == 409)
        #expect(reply.code == "23505")
        #expect(reply.details == "Key (id)=(1) already exists.")
    }

    // MARK: - PUT

    private func put(_ target: String, _ body: String) async -> Reply {
        await server.send(.put, target, as: Token.ada, ["Prefer": "return=representation"], body: body)
    }

    @Test func putMakesARow() async throws {
        let reply = await put(
            "shelves?room=eq.Z&number=eq.1", #"{"room": "Z", "number": 1, "label": "new", "capacity": 2}"#)
        #expect(reply.status == 201)
        #expect(try reply.json == [["room": "Z", "number": 1, "label": "new", "capacity": 2]])
    }

    @Test func putReplacesARow() async throws {
        let reply = await put(
            "shelves?room=eq.A&number=eq.1", #"{"room": "A", "number": 1, "label": "lake", "capacity": 2}"#)
        #expect(reply.status == 200)
        #expect(try reply.json == [["room": "A", "number": 1, "label": "lake", "capacity": 2]])
    }

    @Test(arguments: [
        ("shelves?room=eq.A", 405, "PGRST105"), ("shelves?room=eq.A&number=gt.1", 405, "PGRST105"),
        ("shelves?room=eq.A&number=eq.1&label=eq.sea", 405, "PGRST105"),
        ("shelves?room=eq.A&number=eq.1&limit=1", 400, "PGRST114"),
        ("shelves?room=eq.A&number=eq.2", 400, "PGRST115"),
    ])
    func putNeedsTheWholeKey(target: String, status: Int, code: String) async throws {
        let reply = await put(target, #"{"room": "A", "number": 1, "label": "x", "capacity": 2}"#)
        #expect(reply.status == status, "\(reply.text)")
        #expect(reply.code == code)
    }
}
