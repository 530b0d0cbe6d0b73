import Testing

/// POST: one row, many rows, and what comes back.
@Suite struct InsertTests {
    let server: TestServer

    init() async throws { server = try await Servers.writing.value }

    private func insert(
        _ target: String, _ body: String, prefer: String = "return=representation",
        _ fields: [String: String] = [:]
    ) async -> Reply {
        let fields = fields.merging(["Prefer": prefer]) { $1 }
        return await server.send(.post, target, as: Token.ada, fields, body: body)
    }

    @Test func oneRowBackAsItIsNow() async throws {
        let reply = await insert("books?select=title,genre,tags", #"{"title": "Low Tide", "pages": 9}"#)
        #expect(reply.status == 201)
        #expect(try reply.json == [["title": "Low Tide", "genre": "novel", "tags": []]])
        #expect(reply.field("Preference-Applied") == "return=representation")
    }

    @Test func nothingBackByDefault() async throws {
        let reply = await server.send(.post, "publishers", as: Token.ada, body: #"{"id": 50, "name": "New"}"#)
        #expect(reply.status == 201)
        #expect(reply.bytes.isEmpty)
        #expect(reply.field("Location") == nil)
        #expect(reply.field("Content-Range") == "*/*")
    }

    @Test func placeOfTheRow() async throws {
        let reply = await insert("publishers", #"{"id": 51, "name": "New"}"#, prefer: "return=headers-only")
        #expect(reply.status == 201)
        #expect(reply.bytes.isEmpty)
        #expect(reply.field("Location") == "/publishers?id=eq.51")
    }

    @Test func placeByAKeyOfTwoColumns() async throws {
        let reply = await insert("shelves", #"{"room": "C c", "number": 4}"#, prefer: "return=headers-only")
        #expect(reply.field("Location") == "/shelves?room=eq.C%20c&number=eq.4")
    }

    @Test func placeOfARowWithoutKeyIsNotTold() async throws {
        let reply = await insert("notices", #"{"notice": "quiet"}"#, prefer: "return=headers-only")
        #expect(reply.status == 201)
        #expect(reply.field("Location") == nil)
    }

    @Test func manyRowsAtOnce() async throws {
        let reply = await insert(
            "shelves?select=room,number,capacity",
            #"[{"room": "D", "number": 1, "capacity": 3}, {"number": 2, "capacity": 4, "room": "D"}]"#,
            prefer: "return=representation, count=exact")
        #expect(
            try reply.json == [
                ["room": "D", "number": 1, "capacity": 3], ["room": "D", "number": 2, "capacity": 4],
            ])
        #expect(reply.field("Content-Range") == "*/2")
    }

    @Test func noRowsAreNoError() async throws {
        let reply = await insert("shelves", "[]")
        #expect(reply.status == 201)
        #expect(try reply.json == [])
    }

    @Test func emptyObjectIsARowOfDefaults() async throws {
        let reply = await insert("notices", "{}")
        #expect(reply.status == 201)
        #expect(try reply.json == [["day": nil, "notice": nil]])
    }

    @Test func rowsMustHaveTheSameKeys() async throws {
        let reply = await insert("shelves", #"[{"room": "E", "number": 1}, {"room": "E"}]"#)
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST102")
        #expect(reply.message == "All object keys must match")
    }

    @Test func columnsNameWhatIsTaken() async throws {
        let reply = await insert(
            "shelves?columns=room,number&select=room,number,label",
            #"[{"room": "F", "number": 1, "label": "left out", "else": 7}, {"room": "F", "number": 2}]"#)
        #expect(reply.status == 201)
        #expect(
            try reply.json == [
                ["room": "F", "number": 1, "label": nil], ["room": "F", "number": 2, "label": nil],
            ])
    }

    @Test func missingIsNullOrTheDefault() async throws {
        let body = #"[{"room": "G", "number": 1}]"#
        let null = await insert("shelves?columns=room,number,capacity", body)
        #expect(null.status == 400)
        #expect(null.code == "23502")
        let byDefault = await insert(
            "shelves?columns=room,number,capacity&select=capacity", body,
            prefer: "return=representation, missing=default")
        #expect(try byDefault.json == [["capacity": 10]])
        #expect(byDefault.field("Preference-Applied") == "missing=default, return=representation")
    }

    @Test func levelsOfWhatWasInserted() async throws {
        let reply = await insert(
            "books?select=title,publishers(name)", #"{"title": "Low Tide", "publisher_id": 2}"#)
        #expect(try reply.json == [["title": "Low Tide", "publishers": ["name": "Lantern"]]])
    }

    @Test func valuesOfAllTypes() async throws {
        let reply = await insert(
            "books?select=tags,ages,details,format,price",
            #"{"title": "T", "tags": ["a", "b,c"], "ages": "[1,3)", "details": {"a": [1]}, "price": 1.5, "format": {"width": 1, "height": 2}}"#
        )
        #expect(
            try reply.json == [
                [
                    "tags": ["a", "b,c"], "ages": "[1,3)", "details": ["a": [1]], "price": 1.5,
                    "format": ["width": 1, "height": 2],
                ]
            ], "\(reply.text)")
    }

    @Test func valueComesInByItsRepresentation() async throws {
        let reply = await insert("walls", ##"{"name": "stair", "colour": "#00FF00"}"##)
        #expect(try reply.json == [["name": "stair", "colour": "#00FF00"]])
    }

    @Test func fromCSV() async throws {
        let reply = await insert(
            "shelves?select=room,number,label", "room,number,label\nH,1,\"a, b\"\nH,2,NULL\n",
            ["Content-Type": "text/csv"])
        #expect(
            try reply.json == [
                ["room": "H", "number": 1, "label": "a, b"], ["room": "H", "number": 2, "label": nil],
            ], "\(reply.text)")
    }

    @Test func throughAView() async throws {
        let reply = await server.send(
            .post, "novels", as: Token.service, ["Prefer": "return=representation"],
            body: #"{"id": 900, "title": "By a view"}"#)
        #expect(try reply.json == [["id": 900, "title": "By a view", "publisher_id": nil]])
    }

    @Test(arguments: [
        ("publishers", #"{"id": 1, "name": "Twice"}"#, 409, "23505"),
        ("books", #"{"title": "T", "publisher_id": 99}"#, 409, "23503"),
        ("books", #"{"title": "T", "pages": 0}"#, 400, "23514"),
        ("books", #"{"title": null}"#, 400, "23502"),
        ("books", #"{"title": "T", "genre": "gossip"}"#, 400, "22P02"),
        ("books", #"{"title": "T", "weight": 1}"#, 400, "PGRST204"),
        ("books", #"{"title": "#, 400, "PGRST102"),
        ("books?columns=title,weight", #"{"title": "T"}"#, 400, "PGRST204"),
    ])
    func refused(target: String, body: String, status: Int, code: String) async throws {
        let reply = await insert(target, body)
        #expect(reply.status == status, "\(reply.text)")
        #expect(reply.code == code)
    }

    @Test func columnThatIsNotThere() async throws {
        let reply = await insert("books", #"{"title": "T", "weight": 1}"#)
        #expect(reply.message == "Could not find the 'weight' column of 'books' in the schema cache")
    }

    @Test func committedRowIsThere() async throws {
        let made = await insert(
            "publishers", #"{"id": 77, "name": "Kept"}"#, prefer: "tx=commit, return=headers-only")
        #expect(made.status == 201)
        #expect(made.field("Preference-Applied") == "return=headers-only, tx=commit")
        #expect(try await server.get("publishers?id=eq.77&select=name").json == [["name": "Kept"]])
        let gone = await server.send(.delete, "publishers?id=eq.77", as: Token.ada, ["Prefer": "tx=commit"])
        #expect(gone.status == 204)
    }

    @Test func undoneRowIsNot() async throws {
        let made = await insert("publishers", #"{"id": 78, "name": "Undone"}"#, prefer: "tx=rollback")
        #expect(made.status == 201)
        #expect(made.field("Preference-Applied") == "tx=rollback")
        #expect(try await server.get("publishers?id=eq.78").json == [])
    }
}
