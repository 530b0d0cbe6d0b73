import ApusTokens
import Crypto
import Testing

/// Links and codes that are used once.
@Suite(.serialized) struct CodeTests {
    let auth: AuthServer

    init() async throws { auth = try await AuthServer.mailing.value }

    @Test func `Of fifty uses of one code at once one wins`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email)
        let body: JSON = ["type": "email", "email": .string(person.email), "token": .string(link.code)]
        #expect(await statuses(body).count { $0 == 200 } == 1)
    }

    @Test func `Of fifty uses of one link at once one wins`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email)
        #expect(
            await statuses(["type": "magiclink", "token_hash": .string(link.hash)]).count { $0 == 200 } == 1)
    }

    @Test func `Using the code spends the link, and the other way round`() async throws {
        let person = try await auth.person()
        var link = try await auth.link("magiclink", person.email)
        #expect(await verify(person.email, link.code).status == 200)
        #expect(
            await auth.post("/verify", ["type": "magiclink", "token_hash": .string(link.hash)]).code
                == "otp_expired")
        link = try await auth.link("magiclink", person.email)
        #expect(
            await auth.post("/verify", ["type": "magiclink", "token_hash": .string(link.hash)]).status == 200)
        #expect(await verify(person.email, link.code).code == "otp_expired")
    }

    @Test func `A code dies of five wrong tries`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email)
        let wrong = link.code == "000000" ? "000001" : "000000"
        for _ in 0..<5 { #expect(await verify(person.email, wrong).status == 403) }
        #expect(await verify(person.email, link.code).code == "otp_expired")
    }

    @Test func `Wrong, expired and unknown look the same`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email)
        try await auth.server.database.run(
            "update auth.one_time_tokens set code_expires_at = now(), expires_at = now() where user_id = '\(person.id)'"
        )
        let replies = [
            await verify(person.email, link.code), await verify(AuthServer.address(), "123456"),
            await auth.post("/verify", ["type": "magiclink", "token_hash": .string(link.hash)]),
        ]
        #expect(Set(replies.map(\.text)).count == 1)
        #expect(replies.allSatisfy { $0.status == 403 })
    }

    @Test func `The database holds neither code nor link`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email)
        let row = try await auth.server.database.value(
            "select row_to_json(t)::text from auth.one_time_tokens t where user_id = '\(person.id)'")
        #expect(row?.contains(link.hash) == false)
        #expect(row?.contains("\"\(link.code)\"") == false)
    }

    @Test func `auth-1214: opening a link consumes nothing; the page's button does`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email)
        let path = "/verify?token=\(link.hash)&type=magiclink&redirect_to=https://app.example.com/in"
        for _ in 0..<3 {
            let page = await auth.get(path)
            #expect(page.status == 200)
            #expect(page.text.contains("<form method=\"post\">") && !page.text.contains("<script"))
            #expect(page.field("Referrer-Policy") == "no-referrer")
        }
        let pressed = await auth.submit(path, [("token", link.hash), ("type", "magiclink")])
        #expect(pressed.status == 303)
        #expect(pressed.field("Location")?.hasPrefix("https://app.example.com/in#access_token=") == true)
        let again = await auth.submit(path, [("token", link.hash), ("type", "magiclink")])
        #expect(
            again.field("Location")?.contains(
                "#error=access_denied&error_code=otp_expired&error_description=") == true)
    }

    @Test func `What a page is given cannot become markup`() async throws {
        let page = await auth.get(
            "/verify?token=%22%3E%3Cscript%3E&type=magiclink&redirect_to=%22%3E%3Cimg%20src%3Dx%3E")
        #expect(!page.text.contains("<script") && !page.text.contains("<img"))
    }

    @Test func `PKCE: the code is for whoever asked, once, and using it twice ends the session`() async throws
    {
        let person = try await auth.person()
        let verifier = "a-verifier-that-is-long-enough-to-be-one-0123456789"
        let challenge = Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8))))
        let asked = await auth.post(
            "/otp",
            [
                "email": .string(person.email), "code_challenge": .string(challenge),
                "code_challenge_method": "s256",
            ])
        #expect(asked.status == 200, "\(asked.text)")
        let mail = try await auth.message(to: person.email)
        let token = try #require(mail.link.split(separator: "token=").last?.split(separator: "&").first)
        #expect(token.hasPrefix("pkce_"))
        let pressed = await auth.submit("/verify", [("token", String(token)), ("type", "magiclink")])
        let code = try #require(pressed.field("Location")?.split(separator: "code=").last.map(String.init))
        func exchange(_ verifier: String) async -> Reply {
            await auth.post(
                "/token?grant_type=pkce", ["auth_code": .string(code), "code_verifier": .string(verifier)])
        }
        let first = await exchange(verifier)
        #expect(first.status == 200, "\(first.text)")
        let session = try SignedIn(first.json)
        #expect(await exchange(verifier).code == "flow_state_not_found")
        #expect(await auth.get("/user", as: session.access).code == "session_not_found")
    }

    @Test(arguments: [("plain", "abc"), ("s256", "too short"), ("", "x")])
    func `A challenge that proves nothing is refused`(method: String, challenge: String) async throws {
        let reply = await auth.post(
            "/otp",
            [
                "email": .string(AuthServer.address()), "code_challenge": .string(challenge),
                "code_challenge_method": .string(method),
            ])
        #expect(reply.status == 400 && reply.code == "validation_failed")
    }

    @Test func `auth-1489: a new password takes away every code, and every other session`() async throws {
        let person = try await auth.person()
        let elsewhere = try await auth.signIn(person.email)
        let link = try await auth.link("recovery", person.email)
        let reply = await auth.put("/user", ["password": "quite another password"], as: person.access)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(
            await auth.post("/verify", ["type": "recovery", "token_hash": .string(link.hash)]).code
                == "otp_expired")
        #expect(await auth.get("/user", as: elsewhere.access).code == "session_not_found")
        #expect(await auth.get("/user", as: person.access).status == 200)
    }

    @Test
    func `auth-2600: both addresses must agree to a change, also where addresses are confirmed at once`()
        async throws
    {
        let auth = try await AuthServer.confirming.value
        let person = try await auth.person()
        let new = AuthServer.address()
        let asked = await auth.put("/user", ["email": .string(new)], as: person.access)
        #expect(try asked.json["email"] == .string(person.email) && asked.json["new_email"] == .string(new))
        let one = try await auth.message(to: new)
        let half = await auth.post(
            "/verify", ["type": "email_change", "email": .string(new), "token": .string(one.code)])
        #expect(try half.json["code"] == "200" && half.json["msg"]?.text != nil, "\(half.text)")
        let other = try await auth.message(to: person.email)
        let whole = await auth.post(
            "/verify", ["type": "email_change", "email": .string(person.email), "token": .string(other.code)])
        #expect(try SignedIn(whole.json).email == new, "\(whole.text)")
    }

    @Test func `cf74a14: a recovery token does not survive a change of address`() async throws {
        let person = try await auth.person()
        let link = try await auth.link("recovery", person.email)
        let new = AuthServer.address()
        #expect(
            await auth.put("/admin/users/\(person.id)", ["email": .string(new)], as: Token.service).status
                == 200)
        #expect(
            await auth.post("/verify", ["type": "recovery", "token_hash": .string(link.hash)]).code
                == "otp_expired")
    }

    @Test func `CVE-2024-38351: who proves to own an address loses what a stranger set up with it`()
        async throws
    {
        let email = AuthServer.address()
        _ = await auth.post("/signup", ["email": .string(email), "password": "the thief's own words"])
        let link = try await auth.link("magiclink", email)
        #expect(await verify(email, link.code).status == 200)
        let thief = await auth.post(
            "/token?grant_type=password", ["email": .string(email), "password": "the thief's own words"])
        #expect(thief.code == "invalid_credentials")
    }

    private func verify(_ email: String, _ code: String) async -> Reply {
        await auth.post("/verify", ["type": "email", "email": .string(email), "token": .string(code)])
    }

    private func statuses(_ body: JSON) async -> [Int] {
        let auth = auth
        return await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await auth.post("/verify", body).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
}
