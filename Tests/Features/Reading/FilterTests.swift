import Testing

/// Conditions on columns: every operator, its negation, and its forms for lists.
@Suite struct FilterTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    private func books(_ query: String) async throws -> [JSON] {
        let reply = await server.get("books?select=id&order=id&\(query)")
        #expect(reply.status == 200, "\(reply.text)")
        return try reply.json.all("id")
    }

    @Test(
        arguments: [
            ("id=eq.2", [2]), ("id=neq.2", [1, 3, 4]), ("id=gt.2", [3, 4]), ("id=gte.2", [2, 3, 4]),
            ("id=lt.2", [1]), ("id=lte.2", [1, 2]), ("title=eq.Small Songs", [3]),
            ("published=gte.1999-10-10", [2, 3]), ("genre=eq.poetry", [3]),
        ] as [(String, [JSON])])
    func comparisons(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("title=like.S*", [1, 3]), ("title=ilike.*LEDGER", [4]), ("title=match.^[ST]", [1, 3, 4]),
            ("title=imatch.proofs$", [2]), ("title=not.like.S*", [2, 4]),
        ] as [(String, [JSON])])
    func patterns(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("id=in.(1,3)", [1, 3]), ("title=in.(\"Salt Roads\",\"Nobody, no\")", [1]), ("id=in.()", []),
            ("id=not.in.(1,3)", [2, 4]),
        ] as [(String, [JSON])])
    func lists(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("price=is.null", [4]), ("price=not.is.null", [1, 2, 3]), ("price=is.not_null", [1, 2, 3]),
            ("publisher_id=isdistinct.1", [3, 4]), ("publisher_id=not.isdistinct.1", [1, 2]),
        ] as [(String, [JSON])])
    func nulls(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("tags=cs.{sea}", [1, 3]), ("tags=cd.{sea,travel,numbers}", [1, 2, 4]),
            ("tags=ov.{verse,numbers}", [2, 3]),
            ("details=cs.{\"rating\":5}", [3]), ("tags=not.cs.{sea}", [2, 4]), ("tags=eq.{numbers}", [2]),
        ] as [(String, [JSON])])
    func containment(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("ages=ov.[10,13]", [1, 3]), ("ages=sl.[12,20]", [3]), ("ages=sr.[1,13]", [2]),
            ("ages=nxr.[1,50]", [3]),
            ("ages=nxl.[12,20]", [1, 2]), ("ages=adj.[1,6)", [3]), ("ages=cs.[13,14]", [1]),
        ] as [(String, [JSON])])
    func ranges(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("id=eq(any).{1,4}", [1, 4]), ("id=gt(all).{1,2}", [3, 4]),
            ("title=like(any).{S*,W*}", [1, 2, 3]),
            ("title=ilike(all).{*s*,*g*}", [3]), ("id=not.eq(any).{1,4}", [2, 3]),
        ] as [(String, [JSON])])
    func anyAndAll(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("or=(id.eq.1,pages.gt.500)", [1, 4]), ("and=(id.gt.1,id.lt.4)", [2, 3]),
            ("not.or=(id.eq.1,id.eq.2)", [3, 4]),
            ("or=(id.eq.1,and(genre.eq.poetry,pages.not.gt.100))", [1, 3]),
            ("or=(title.eq.\"Salt Roads\",id.in.(2,4))", [1, 2, 4]),
            ("or=(price.is.null,tags.cs.{verse})", [3, 4]),
            ("or=(id.eq.1,id.eq.2)&pages=gt.300", [1]),
        ] as [(String, [JSON])])
    func logic(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("details->>rating=eq.3", [2]), ("details->rating=gt.4", [1, 3]),
            ("details->editions->0=eq.1988", [1]),
            ("format->width=eq.13", [1]), ("or=(details->>rating.eq.3,details->>rating.eq.5)", [2, 3]),
        ] as [(String, [JSON])])
    func insideOfJSON(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test(
        arguments: [
            ("words=fts.sea", []), ("words=fts.sail", [4]), ("words=plfts.quiet ocean", [1]),
            ("words=phfts.salt roads", [1]), ("words=phfts.roads salt", []), ("words=wfts.salt -trade", [1]),
            ("words=fts(english).sailing", [4]), ("words=fts(simple).sailing", []),
            ("summary=plfts(english).mathematics", [2]), ("words=not.fts.sail", [1, 2, 3]),
        ] as [(String, [JSON])])
    func fullText(query: String, ids: [JSON]) async throws {
        #expect(try await books(query) == ids)
    }

    @Test func textThatLooksLikeSQLStaysAValue() async throws {
        #expect(try await books("title=eq.'; drop table library.books; --") == [])
        #expect(try await books("id=lt.3") == [1, 2])
    }

    @Test func severalConditionsOnOneColumnAllHold() async throws {
        #expect(try await books("pages=gt.100&pages=lt.300") == [2])
    }

    @Test func valueThatIsNoneOfItsType() async throws {
        let reply = await server.get("books?id=eq.many")
        #expect(reply.status == 400)
        #expect(reply.code == "22P02")
        #expect(reply.message == "invalid input syntax for type integer: \"many\"")
    }

    @Test func operatorThatNobodyKnows() async throws {
        let reply = await server.get("books?id=equals.1")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST100")
        #expect(reply.message.contains("failed to parse filter (equals.1)"))
    }

    @Test func logicThatIsNotClosed() async throws {
        let reply = await server.get("books?or=(id.eq.1")
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST100")
        #expect(reply.message.contains("failed to parse logic tree"))
    }
}
