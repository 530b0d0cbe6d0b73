import Testing

/// `select`: which columns, under which names, as which types.
@Suite struct SelectTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func everyColumnByDefault() async throws {
        let reply = await server.get("publishers?order=id")
        #expect(reply.status == 200)
        #expect(reply.field("Content-Type") == "application/json; charset=utf-8")
        #expect(
            try reply.json == [
                ["id": 1, "name": "Harbour", "country": "PT"], ["id": 2, "name": "Lantern", "country": "IE"],
                ["id": 3, "name": "Quiet", "country": nil],
            ])
    }

    @Test func chosenColumnsUnderOtherNames() async throws {
        let reply = await server.get("books?select=title,length:pages&id=eq.1")
        #expect(try reply.json == [["title": "Salt Roads", "length": 320]])
    }

    @Test func castChangesTheType() async throws {
        let reply = await server.get("books?select=pages::text,year:published::timestamp&id=eq.1")
        #expect(try reply.json == [["pages": "320", "year": "1988-05-01T00:00:00"]])
    }

    @Test(arguments: [
        ("details->rating", "rating", 4.5 as JSON), ("details->>rating", "rating", "4.5"),
        ("details->editions->1", "editions", 1999), ("details->editions->-1", "editions", 1999),
        ("first:details->editions->>0", "first", "1988"), ("details->nothing", "nothing", nil),
        ("details->>rating::numeric", "rating", 4.5),
    ])
    func insideOfJSON(path: String, name: String, value: JSON) async throws {
        let reply = await server.get("books?select=\(path)&id=eq.1")
        #expect(try reply.json == [.object([name: value])], "\(reply.text)")
    }

    @Test func insideOfACompositeValue() async throws {
        let reply = await server.get("books?select=format->width,format->>height&id=eq.1")
        #expect(try reply.json == [["width": 13, "height": "20"]])
    }

    @Test func elementOfAnArray() async throws {
        let reply = await server.get("books?select=tags->0&id=eq.1")
        #expect(try reply.json == [["tags": "sea"]])
    }

    @Test func typesOfTheDatabaseAsJSON() async throws {
        let reply = await server.get("books?select=tags,ages,price,published,format,genre&id=eq.1")
        #expect(
            try reply.json == [
                [
                    "tags": ["sea", "travel"], "ages": "[12,99)", "price": 12.5, "published": "1988-05-01",
                    "format": ["width": 13, "height": 20], "genre": "novel",
                ]
            ])
    }

    @Test func computedColumn() async throws {
        let reply = await server.get("books?select=id,headline&headline=eq.SALT ROADS")
        #expect(try reply.json == [["id": 1, "headline": "SALT ROADS"]])
    }

    @Test func computedColumnIsNotPartOfTheStar() async throws {
        let reply = await server.get("books?id=eq.1")
        #expect(try reply.json[0]?["title"] == "Salt Roads")
        #expect(try reply.json[0]?["headline"] == nil)
    }

    @Test func quotedNamesMayHoldAnything() async throws {
        let reply = await server.get(#"books?select="title"&"id"=eq.2"#)
        #expect(try reply.json == [["title": "Winter Proofs"]])
    }

    @Test func starAndMoreTogether() async throws {
        let reply = await server.get("publishers?select=*,again:name&id=eq.1")
        #expect(try reply.json == [["id": 1, "name": "Harbour", "country": "PT", "again": "Harbour"]])
    }

    @Test func unknownColumnIsTheDatabasesError() async throws {
        let reply = await server.get("books?select=nothing")
        #expect(reply.status == 400)
        #expect(reply.code == "42703")
        #expect(reply.message == "column books.nothing does not exist")
    }

    @Test func valueInAndOutOfItsRepresentation() async throws {
        let all = await server.get("walls?order=name")
        #expect(
            try all.json == [["name": "hall", "colour": "#0000FF"], ["name": "porch", "colour": "#FF0000"]])
        let found = await server.get("walls?select=name&colour=eq.%230000ff")
        #expect(try found.json == [["name": "hall"]])
    }
}
