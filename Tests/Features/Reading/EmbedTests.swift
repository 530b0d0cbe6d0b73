import Testing

/// Relations inside of relations, in every cardinality.
@Suite struct EmbedTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func manyToOneIsAnObjectOrNull() async throws {
        let reply = await server.get("books?select=id,publishers(name)&id=in.(1,4)&order=id")
        #expect(
            try reply.json == [["id": 1, "publishers": ["name": "Harbour"]], ["id": 4, "publishers": nil]])
    }

    @Test func oneToManyIsAnArray() async throws {
        let reply = await server.get("publishers?select=name,books(id)&order=id&books.order=id.desc")
        #expect(
            try reply.json == [
                ["name": "Harbour", "books": [["id": 2], ["id": 1]]],
                ["name": "Lantern", "books": [["id": 3]]], ["name": "Quiet", "books": []],
            ])
    }

    @Test func oneToOneIsAnObjectFromBothSides() async throws {
        let book = await server.get("books?select=id,covers(colour)&id=eq.1")
        #expect(try book.json == [["id": 1, "covers": ["colour": "blue"]]])
        let cover = await server.get("covers?select=colour,books(title)&book_id=eq.3")
        #expect(try cover.json == [["colour": "green", "books": ["title": "Small Songs"]]])
    }

    @Test func manyToManyThroughTheTableBetween() async throws {
        let reply = await server.get("books?select=id,authors(name)&id=eq.2&authors.order=name")
        #expect(try reply.json == [["id": 2, "authors": [["name": "Ana Reis"], ["name": "Bo Lind"]]]])
    }

    @Test func levelsBelowLevels() async throws {
        let reply = await server.get(
            "publishers?select=name,books(title,authors(name,born))&id=eq.1&books.id=eq.2&books.authors.born=gt.1960-01-01"
        )
        #expect(
            try reply.json == [
                [
                    "name": "Harbour",
                    "books": [
                        ["title": "Winter Proofs", "authors": [["name": "Bo Lind", "born": "1972-11-20"]]]
                    ],
                ]
            ])
    }

    @Test func relationToItself() async throws {
        let pupils = await server.get(
            "authors?select=name,pupils:authors!mentor_id(name)&id=eq.1&pupils.order=id")
        #expect(
            try pupils.json == [["name": "Ana Reis", "pupils": [["name": "Bo Lind"], ["name": "Cy Moss"]]]])
    }

    @Test func byTheNameOfTheColumn() async throws {
        let reply = await server.get("books?select=id,house:publisher_id(name)&id=eq.1")
        #expect(try reply.json == [["id": 1, "house": ["name": "Harbour"]]])
    }

    @Test func hintChoosesOneOfTwoWays() async throws {
        let made = await server.get("books?select=id,translations!translations_original(language)&id=eq.1")
        #expect(try made.json == [["id": 1, "translations": [["language": "sv"], ["language": "pt"]]]])
        let own = await server.get("books?select=id,translations!book_id(language)&id=eq.2")
        #expect(try own.json == [["id": 2, "translations": [["language": "sv"]]]])
    }

    @Test func twoWaysToTheSameRelationUnderTwoNames() async throws {
        let reply = await server.get(
            "translations?select=language,book:books!translations_book(id),original:books!translations_original(id)&id=eq.1"
        )
        #expect(try reply.json == [["language": "sv", "book": ["id": 2], "original": ["id": 1]]])
    }

    @Test func limitAndOffsetOfALevel() async throws {
        let reply = await server.get(
            "publishers?select=books(id)&id=eq.1&books.order=id&books.limit=1&books.offset=1")
        #expect(try reply.json == [["books": [["id": 2]]]])
    }

    @Test func conditionsWithOrOnALevel() async throws {
        let reply = await server.get("publishers?select=books(id)&id=eq.1&books.or=(pages.gt.500,id.eq.1)")
        #expect(try reply.json == [["books": [["id": 1]]]])
    }

    @Test func emptyLevelIsNotShown() async throws {
        let reply = await server.get("books?select=id,publishers!inner()&publishers.name=eq.Lantern")
        #expect(try reply.json == [["id": 3]])
    }

    @Test func computedRelationships() async throws {
        let reply = await server.get("books?select=id,house(name),siblings(id)&id=eq.1")
        #expect(try reply.json == [["id": 1, "house": ["name": "Harbour"], "siblings": [["id": 2]]]])
    }

    @Test func viewTakesItsTablesRelationships() async throws {
        let reply = await server.get("novels?select=title,publishers(name),authors(name)")
        #expect(
            try reply.json == [
                ["title": "Salt Roads", "publishers": ["name": "Harbour"], "authors": [["name": "Ana Reis"]]]
            ])
    }

    @Test func partitionedTableIsOneRelation() async throws {
        let reply = await server.get("visits?select=hall,visitors&day=gte.2025-01-01&order=hall")
        #expect(try reply.json == [["hall": "north", "visitors": 20], ["hall": "south", "visitors": 5]])
    }
}

/// Joins that choose the rows above: `!inner`, and conditions on whether a level is empty.
@Suite struct JoinTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test(
        arguments: [
            ("select=id,publishers!inner(name)", [1, 2, 3]),
            ("select=id,publishers!inner(name)&publishers.country=eq.IE", [3]),
            ("select=id,authors!inner(name)&authors.name=like.A*", [1, 2]),
            ("select=id,publishers(name)&publishers=is.null", [4]),
            ("select=id,publishers(name)&publishers=not.is.null", [1, 2, 3]),
            ("select=id,covers()&covers=is.null", [2, 4]),
            ("select=id,covers(),publishers()&or=(covers.is.null,publishers.is.null)", [2, 4]),
            ("select=id,authors()&authors.name=eq.Bo Lind&authors=is.null", [1, 3, 4]),
        ] as [(String, [JSON])])
    func chooses(query: String, ids: [JSON]) async throws {
        let reply = await server.get("books?order=id&\(query)")
        #expect(try reply.json.all("id") == ids, "\(reply.text)")
    }

    @Test func withoutInnerOnlyTheLevelIsFiltered() async throws {
        let reply = await server.get(
            "books?select=id,publishers(name)&publishers.country=eq.IE&order=id&limit=1")
        #expect(try reply.json == [["id": 1, "publishers": nil]])
    }

    @Test func innerCountsWhatRemains() async throws {
        let reply = await server.get(
            "books?select=id,covers!inner(colour)&covers.colour=eq.blue", ["Prefer": "count=exact"])
        #expect(reply.field("Content-Range") == "0-0/1")
    }
}

/// `...relation(…)`: the columns of a level on the level above.
@Suite struct SpreadTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func toOne() async throws {
        let reply = await server.get(
            "books?select=id,...publishers(publisher:name,country)&id=in.(1,4)&order=id")
        #expect(
            try reply.json == [
                ["id": 1, "publisher": "Harbour", "country": "PT"],
                ["id": 4, "publisher": nil, "country": nil],
            ])
    }

    @Test func toManyBecomesArrays() async throws {
        let reply = await server.get(
            "publishers?select=name,...books(titles:title,id)&id=eq.1&books.order=id")
        #expect(
            try reply.json == [
                ["name": "Harbour", "titles": ["Salt Roads", "Winter Proofs"], "id": [1, 2]]
            ])
    }

    @Test func throughTwoLevels() async throws {
        let reply = await server.get("covers?select=colour,...books(title,...publishers(name))&book_id=eq.1")
        #expect(try reply.json == [["colour": "blue", "title": "Salt Roads", "name": "Harbour"]])
    }
}
