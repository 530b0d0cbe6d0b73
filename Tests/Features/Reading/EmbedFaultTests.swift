import Testing

/// What a client is told when a relation cannot be embedded.
@Suite struct EmbedFaultTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func noRelationship() async throws {
        let reply = await server.get("books?select=id,shelves(room)")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST200")
        #expect(
            reply.message == "Could not find a relationship between 'books' and 'shelves' in the schema cache"
        )
        #expect(
            reply.details
                == "Searched for a foreign key relationship between 'books' and 'shelves' in the schema 'library', but no matches were found."
        )
    }

    @Test func nearlyTheRightName() async throws {
        let reply = await server.get("books?select=id,publisher(name)")
        #expect(reply.code == "PGRST200")
        #expect(reply.hint == "Perhaps you meant 'publishers' instead of 'publisher'.")
    }

    @Test func hintThatLeadsNowhere() async throws {
        let reply = await server.get("books?select=id,publishers!nowhere(name)")
        #expect(reply.code == "PGRST200")
        #expect(reply.details.text?.contains("using the hint 'nowhere'") == true)
    }

    @Test func moreThanOneWay() async throws {
        let reply = await server.get("translations?select=id,books(title)")
        #expect(reply.status == 300)
        #expect(reply.code == "PGRST201")
        #expect(
            reply.message
                == "Could not embed because more than one relationship was found for 'translations' and 'books'"
        )
        #expect(
            reply.hint
                == "Try changing 'books' to one of the following: 'books!translations_book', 'books!translations_original'. Find the desired relationship in the 'details' key."
        )
        #expect(
            reply.details == [
                [
                    "cardinality": "many-to-one", "embedding": "translations with books",
                    "relationship": "translations_book using translations(book_id) and books(id)",
                ],
                [
                    "cardinality": "many-to-one", "embedding": "translations with books",
                    "relationship": "translations_original using translations(original_id) and books(id)",
                ],
            ])
    }

    @Test func filterOnWhatIsNotEmbedded() async throws {
        let reply = await server.get("books?select=id&publishers.name=eq.Harbour")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST108")
        #expect(reply.message == "'publishers' is not an embedded resource in this request")
    }

    @Test func orderByAColumnOfMany() async throws {
        let reply = await server.get("publishers?select=name,books(id)&order=books(id)")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST118")
        #expect(reply.message == "A related order on 'books' is not possible")
        #expect(
            reply.details == "'publishers' and 'books' do not form a many-to-one or one-to-one relationship")
    }

    @Test func selectThatIsNotClosed() async throws {
        let reply = await server.get("books?select=id,publishers(name")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST100")
        #expect(reply.message.contains("failed to parse select parameter (id,publishers(name)"))
    }

    @Test func relationThatIsNotThere() async throws {
        let reply = await server.get("boks")
        #expect(reply.status == 404)
        #expect(reply.code == "PGRST205")
        #expect(reply.message == "Could not find the table 'library.boks' in the schema cache")
        #expect(reply.hint == "Perhaps you meant the table 'library.books'")
    }
}
