import ApusTestSupport
import Testing

/// A session that ended is over at once, for everything and everywhere.
@Suite struct RevocationTests {
    /// By a notification alone: nothing asks again after a while.
    @Test func `Signing out reaches the data API of another node`() async throws {
        let one = try await AuthServer.start()
        let other = try await one.anotherNode()
        let person = try await one.person()
        #expect(await other.server.get("rpc/caller", as: person.access).status == 200)
        #expect(await one.post("/logout?scope=local", as: person.access).status == 204)
        for node in [one, other] {
            #expect(
                try await eventually {
                    await node.server.get("rpc/caller", as: person.access).status == 401
                })
        }
        #expect(
            await other.server.get("rpc/caller", as: person.access).message
                == "The session of the JWT has ended")
        await other.stop()
        await one.stop()
    }

    @Test func `A node that was not there hears of it when it starts`() async throws {
        let one = try await AuthServer.start()
        let person = try await one.person()
        #expect(await one.post("/logout", as: person.access).status == 204)
        let late = try await one.anotherNode()
        #expect(await late.server.get("rpc/caller", as: person.access).status == 401)
        await late.stop()
        await one.stop()
    }

    @Test(arguments: [
        ("local", [false, true]), ("others", [true, false]), ("global", [false, false]),
        ("", [false, false]),
    ])
    func `Here, elsewhere, everywhere`(scope: String, remain: [Bool]) async throws {
        let auth = try await AuthServer.confirming.value
        let here = try await auth.person()
        let elsewhere = try await auth.signIn(here.email)
        #expect(await auth.post("/logout?scope=\(scope)", as: here.access).status == 204)
        #expect(await auth.get("/user", as: here.access).status == (remain[0] ? 200 : 403))
        #expect(await auth.get("/user", as: elsewhere.access).status == (remain[1] ? 200 : 403))
    }

    @Test func `People see where they are signed in and end it there, and see nobody else`() async throws {
        let auth = try await AuthServer.mailing.value
        let (person, stranger) = (try await auth.person(), try await auth.person())
        let elsewhere = try await auth.signIn(person.email)
        let seen = try await auth.get("/user/sessions", as: person.access).json
        #expect(Set(seen.all("id")) == [.string(person.session), .string(elsewhere.session)])
        #expect(seen[0]?["is_current"] == false && seen[1]?["is_current"] == true)
        let path = "/user/sessions/" + elsewhere.session
        #expect(await auth.delete(path, as: stranger.access).code == "session_not_found")
        #expect(await auth.delete(path, as: person.access).status == 204)
        #expect(await auth.get("/user", as: elsewhere.access).code == "session_not_found")
        #expect(await auth.get("/user", as: person.access).status == 200)
    }

    @Test func `Whoever deletes a row of auth sessions by hand signs out too`() async throws {
        let auth = try await AuthServer.confirming.value
        let person = try await auth.person()
        #expect(await auth.server.get("rpc/caller", as: person.access).status == 200)
        try await auth.server.database.run("delete from auth.users where id = '\(person.id)'")
        #expect(
            try await eventually {
                await auth.server.get("rpc/caller", as: person.access).status == 401
            })
    }

    @Test func `Keys rotate without signing anyone out, and a revoked one opens nothing`() async throws {
        let one = try await AuthServer.start()
        let other = try await one.anotherNode()
        let before = try await one.person()
        let rotated = try await one.rotateKeys()
        #expect(
            try await eventually {
                try await other.get("/.well-known/jwks.json").json["keys"]?.items.count == 2
            })
        let after = try SignedIn(await other.refresh(before.refresh).json)
        #expect(after.header["kid"] == .string(rotated.current))
        #expect(before.header["kid"] == .string(rotated.previous))
        for node in [one, other] {
            #expect(await node.server.get("rpc/caller", as: before.access).status == 200)
            #expect(await node.server.get("rpc/caller", as: after.access).status == 200)
        }
        try await one.revokeKey(rotated.previous)
        for node in [one, other] {
            #expect(
                try await eventually {
                    await node.server.get("rpc/caller", as: before.access).status == 401
                })
            #expect(await node.server.get("rpc/caller", as: after.access).status == 200)
        }
        await other.stop()
        await one.stop()
    }

    @Test func `Public keys are public and nothing else is`() async throws {
        let auth = try await AuthServer.confirming.value
        let reply = await auth.get("/.well-known/jwks.json")
        #expect(reply.field("Cache-Control") == "public, max-age=600")
        for key in try reply.json["keys"]?.items ?? [] {
            #expect(key["kty"] == "EC" && key["alg"] == "ES256" && key["d"] == nil && key["k"] == nil)
        }
        let sealed = try await auth.server.database.value(
            "select encode(private_key, 'hex') from auth.signing_keys where state = 'current'")
        #expect((sealed?.count ?? 0) > 2 * (32 + 33 - 1))
    }
}
