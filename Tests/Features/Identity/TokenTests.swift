import Testing

/// Tokens that must not open the door.
@Suite struct TokenTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    private static let claims = #"{"role":"service_role"}"#

    @Test(arguments: [
        ("none of them", Token.unsigned(claims), "PGRST301"),
        ("another's key", Token.make(claims, secret: "the-secret-of-somebody-else-entirely"), "PGRST301"),
        ("an algorithm that is not ours", Token.make(claims, header: #"{"alg":"RS256"}"#), "PGRST301"),
        ("none, in other letters", Token.make(claims, header: #"{"alg":"nOnE"}"#), "PGRST301"),
        (
            "an extension nobody knows", Token.make(claims, header: #"{"alg":"HS256","crit":["x"],"x":1}"#),
            "PGRST301"
        ),
        ("two parts", "abc.def", "PGRST301"), ("one part", "abc", "PGRST301"),
        ("expired", Token.make(#"{"role":"service_role","exp":1}"#), "PGRST303"),
        ("not yet", Token.make(#"{"role":"service_role","nbf":4102444800}"#), "PGRST303"),
        ("issued tomorrow", Token.make(#"{"role":"service_role","iat":4102444800}"#), "PGRST303"),
        ("an end that is no number", Token.make(#"{"role":"service_role","exp":"never"}"#), "PGRST303"),
        ("a role that is no text", Token.make(#"{"role":{"name":"service_role"}}"#), "PGRST303"),
        ("the connection's own role", Token.make(#"{"role":"none"}"#), "PGRST303"),
        ("claims that are no object", Token.make("[1]"), "PGRST303"),
        ("two roles", Token.make(#"{"role":"anon","role":"service_role"}"#), "PGRST303"),
    ])
    func refused(why: String, token: String, code: String) async throws {
        let reply = await server.get("books?limit=1", as: token)
        #expect(reply.status == 401, "\(why): \(reply.text)")
        #expect(reply.code == code, "\(why): \(reply.text)")
        #expect(reply.field("WWW-Authenticate")?.hasPrefix("Bearer error=\"invalid_token\"") == true)
        #expect(!reply.text.contains(token))
    }

    @Test func changedClaims() async throws {
        let parts = Token.ben.split(separator: ".")
        let others = Token.ada.split(separator: ".")
        let reply = await server.get("books", as: "\(parts[0]).\(others[1]).\(parts[2])")
        #expect(reply.status == 401)
        #expect(reply.message == "No suitable key or wrong key type")
    }

    @Test func words() async throws {
        #expect(
            await server.get("books", as: Token.make(#"{"role":"anon","exp":1}"#)).message == "JWT expired")
        #expect(await server.get("books", as: "a.b").message == "Expected 3 parts in JWT; got 2")
        #expect(
            await server.get("books", ["Authorization": "Bearer "]).message
                == "Empty JWT is sent in Authorization header")
    }

    @Test func roleThatTheDatabaseDoesNotHave() async throws {
        let reply = await server.get("books", as: Token.make(#"{"role":"ghost"}"#))
        #expect(reply.status == 401)
        #expect(reply.code == "22023")
        #expect(reply.message == "role \"ghost\" does not exist")
    }

    @Test func roleThatTheServerMayNotTake() async throws {
        let reply = await server.get("books", as: Token.make(#"{"role":"postgres"}"#))
        #expect(reply.status == 403)
        #expect(reply.code == "42501")
    }

    @Test func audience() async throws {
        let server = try await TestServer.start(["jwt-aud": "library"])
        let other = await server.get("books", as: Token.make(#"{"role":"anon","aud":"shop"}"#))
        #expect(other.status == 401)
        #expect(other.message == "JWT not in audience")
        #expect(
            await server.get("books", as: Token.make(#"{"role":"anon","aud":["shop","library"]}"#)).status
                == 200)
        await server.stop()
    }

    @Test func roleFromElsewhereInTheClaims() async throws {
        let server = try await TestServer.start(["jwt-role-claim-key": ".app.roles[1]"])
        let token = Token.make(#"{"app":{"roles":["anon","service_role"]}}"#)
        #expect(try await server.get("rpc/caller", as: token).json["role"] == "service_role")
        await server.stop()
    }

    @Test func withoutSecretNoTokenHolds() async throws {
        let server = try await TestServer.start(["jwt-secret": ""])
        let reply = await server.get("books", as: Token.ada)
        #expect(reply.status == 500)
        #expect(reply.code == "PGRST300")
        #expect(await server.get("books").status == 200)
        await server.stop()
    }
}
