import Testing

/// Who asks decides what there is: roles, grants and row level security.
@Suite struct RoleTests {
    let server: TestServer

    init() async throws { server = try await Servers.writing.value }

    @Test func withoutTokenTheCallerIsAnonymous() async throws {
        let reply = await server.get("rpc/caller")
        #expect(try reply.json == ["role": "anon", "sub": nil, "claims": ["role": "anon"]])
    }

    @Test func tokenNamesRoleAndPerson() async throws {
        let reply = await server.get("rpc/caller", as: Token.ada)
        #expect(try reply.json["role"] == "authenticated")
        #expect(try reply.json["sub"] == .string(Token.adaID))
        #expect(try reply.json["claims"]?["exp"] == 4_102_444_800)
    }

    @Test func everybodySeesTheirOwnRows() async throws {
        #expect(try await server.get("loans?select=id&order=id", as: Token.ada).json.all("id") == [1, 2])
        #expect(try await server.get("loans?select=id&order=id", as: Token.ben).json.all("id") == [3])
        #expect(
            try await server.get("loans?select=id&order=id", as: Token.service).json.all("id") == [1, 2, 3])
    }

    @Test func levelsAreFilteredByPoliciesToo() async throws {
        let reply = await server.get("books?select=id,loans(id)&order=id&limit=3", as: Token.ben)
        #expect(
            try reply.json == [
                ["id": 1, "loans": []], ["id": 2, "loans": []], ["id": 3, "loans": [["id": 3]]],
            ])
    }

    @Test func personIsTheDefaultOfAColumn() async throws {
        let reply = await server.send(
            .post, "loans?select=member_id", as: Token.ben, ["Prefer": "return=representation"],
            body: #"{"book_id": 4}"#)
        #expect(try reply.json == [["member_id": .string(Token.benID)]])
    }

    @Test func nobodyWritesForSomebodyElse() async throws {
        let reply = await server.send(
            .post, "loans", as: Token.ben, body: #"{"book_id": 4, "member_id": "\#(Token.adaID)"}"#)
        #expect(reply.status == 403)
        #expect(reply.code == "42501")
        #expect(reply.message == "new row violates row-level security policy for table \"loans\"")
    }

    @Test func othersRowsAreNotThereToChange() async throws {
        let reply = await server.send(
            .patch, "loans?id=eq.1", as: Token.ben, ["Prefer": "return=representation"],
            body: #"{"book_id": 4}"#)
        #expect(try reply.json == [])
    }

    @Test func anonymousCallersAreAskedWhoTheyAre() async throws {
        let reply = await server.get("loans")
        #expect(reply.status == 401)
        #expect(reply.code == "42501")
        #expect(reply.message == "permission denied for table loans")
        #expect(reply.field("WWW-Authenticate") == "Bearer")
    }

    @Test func knownCallersAreRefused() async throws {
        let reply = await server.send(.post, "rpc/staff_only", as: Token.ada, body: "{}")
        #expect(reply.status == 403)
        #expect(reply.code == "42501")
        #expect(reply.field("WWW-Authenticate") == nil)
    }

    @Test func serviceMayWhatItIsFor() async throws {
        #expect(
            try await server.send(.post, "rpc/staff_only", as: Token.service, body: "{}").json == "welcome")
    }

    @Test func roleOfOneRequestIsNotTheNexts() async throws {
        let roles = ["anon": nil, "authenticated": Token.ada, "service_role": Token.service]
        await withTaskGroup(of: (String, Reply).self) { group in
            for _ in 0..<20 {
                for (role, token) in roles {
                    group.addTask { (role, await server.get("rpc/caller", as: token)) }
                }
            }
            for await (role, reply) in group { #expect((try? reply.json["role"]) == .string(role)) }
        }
    }

    @Test func keyInApikeyCountsAsToken() async throws {
        let reply = await server.get("rpc/caller", ["apikey": Token.service])
        #expect(try reply.json["role"] == "service_role")
        let person = await server.get("rpc/caller", as: Token.ada, ["apikey": Token.service])
        #expect(try person.json["role"] == "authenticated")
    }

    @Test func withoutAnonymousRoleEverybodyNeedsAToken() async throws {
        let server = try await TestServer.start(["db-anon-role": ""])
        let reply = await server.get("books")
        #expect(reply.status == 401)
        #expect(reply.code == "PGRST302")
        #expect(reply.message == "Anonymous access is disabled")
        #expect(await server.get("books", as: Token.ada).status == 200)
        await server.stop()
    }
}
