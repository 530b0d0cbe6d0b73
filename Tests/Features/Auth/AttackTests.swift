import Testing

/// Attacks that broke others, by the names under which they are known.
@Suite(.serialized) struct AttackTests {
    let auth: AuthServer

    init() async throws { auth = try await AuthServer.mailing.value }

    // MARK: - Addresses and redirects

    @Test(arguments: ["X-Forwarded-Host", "Host", "Origin", "Forwarded", "X-Forwarded-Proto"])
    func `GHSA-3529-5m8x-rpv3: a header of the request cannot move the link of a mail`(
        name: String
    ) async throws {
        let person = try await auth.person()
        let fields = [name: name == "Forwarded" ? "host=evil.example" : "evil.example"]
        #expect(await auth.post("/recover", ["email": .string(person.email)], as: nil, fields).status == 200)
        let mail = try await auth.message(to: person.email)
        #expect(mail.link.hasPrefix("https://api.example.com/auth/v1/verify?token="))
        #expect(!mail.link.contains("evil"))
    }

    @Test(arguments: [
        "https://evil.example/", "https://app.example.com@evil.example/",
        "https://app.example.com.evil.example",
        "https://evil.example/#https://app.example.com", "https://evil.example\\@app.example.com/",
        "//evil.example",
        "https://app.example.com%2eevil.example/", "javascript:alert(1)", "data:text/html,x",
        "http://2130706433/",
        "https://app.example.com:8443/", "myapp://callback@evil", "https://sub.example.org/../../evil",
    ])
    func `A redirect that is not allowed leads to the site`(target: String) async throws {
        let person = try await auth.person()
        let link = try await auth.link("magiclink", person.email, ["redirect_to": .string(target)])
        let reply = await auth.submit(
            "/verify", [("token", link.hash), ("type", "magiclink"), ("redirect_to", target)])
        #expect(reply.status == 303)
        #expect(
            reply.field("Location")?.hasPrefix("https://app.example.com#access_token=") == true,
            "\(reply.fields)")
    }

    @Test(arguments: [
        "a@evil.example,b@victim.example", "<b>@x.example", "a b@x.example", "a@x", "a@@x.example",
        "@x.example",
    ])
    func `CVE-2022-35924 and CVE-2022-31127: an address is exactly one, without markup`(
        email: String
    ) async throws {
        for path in ["/signup", "/otp", "/recover"] {
            let reply = await auth.post(
                path, ["email": .string(email), "password": .string(AuthServer.password)])
            #expect(reply.status == 400 && reply.code == "email_address_invalid", "\(path) \(reply.text)")
        }
    }

    // MARK: - Who may call

    @Test(arguments: [
        "/admin/users/", "/admin/users//", "/admin/users/%2e%2e", "/admin/users/..%2fusers", "//admin/users",
        "/admin/users/not-an-id",
    ])
    func `CVE-2025-48370: an id that is none reaches no other route`(path: String) async throws {
        let reply = await auth.get(path, as: Token.service)
        #expect(reply.status == 404, "\(reply.text)")
        #expect(try reply.json["users"] == nil)
    }

    @Test(arguments: [
        "/admin/users", "/admin/audit", "/rest-admin/v1/config", "/config", "/metrics", "/debug",
    ])
    func `No route of an operator answers without a service key`(path: String) async throws {
        let person = try await auth.person()
        for token in [nil, person.access, Token.make(#"{"role":"anon"}"#)] {
            let status = await auth.get(path, as: token).status
            #expect([401, 403, 404].contains(status))
        }
        let forged = Token.make(#"{"role":"service_role"}"#, secret: "somebody else's secret, long enough")
        #expect([403, 404].contains(await auth.get(path, as: forged).status))
        // A user's token that claims more than its user is.
        let claimed = Token.make(#"{"role":"service_role","session_id":"\#(person.session)"}"#)
        #expect([403, 404].contains(await auth.get(path, as: claimed).status))
    }

    @Test func `A key in apikey does not speak for a token in Authorization`() async throws {
        let reply = await auth.get(
            "/admin/users", as: "forged.forged.forged", ["apikey": Token.service])
        #expect(reply.status == 403 && reply.text.contains("bad_jwt"))
    }

    @Test func `A user cannot give himself what only administrators give`() async throws {
        let person = try await auth.person()
        #expect(
            await auth.put("/user", ["app_metadata": ["admin": true]], as: person.access).code == "not_admin")
        let reply = await auth.put(
            "/user",
            ["data": ["x": 1], "role": "service_role", "email_verified": true, "banned_until": .null],
            as: person.access)
        #expect(try reply.json["role"] == "authenticated")
    }

    @Test func `A banned user's token opens nothing any more`() async throws {
        let person = try await auth.person()
        #expect(
            await auth.put("/admin/users/\(person.id)", ["ban_duration": "1h"], as: Token.service).status
                == 200)
        #expect(await auth.get("/user", as: person.access).status == 403)
        #expect(await auth.refresh(person.refresh).status == 400)
    }

    @Test func `Secrets of a user are in no answer`() async throws {
        let person = try await auth.person()
        for reply in [
            await auth.get("/user", as: person.access),
            await auth.get("/admin/users?per_page=1000", as: Token.service),
            await auth.get("/admin/users/\(person.id)", as: Token.service),
        ] {
            for word in ["argon2", "encrypted_password", "token_hash", "confirmation_token"] {
                #expect(!reply.text.contains(word))
            }
        }
    }

    // MARK: - Who gets to know what

    @Test func `Signing up with a taken address looks like signing up`() async throws {
        let person = try await auth.person()
        func signUp(_ email: String) async -> Reply {
            await auth.post(
                "/signup", ["email": .string(email), "password": "other words entirely", "data": ["a": 1]])
        }
        let unknown = AuthServer.address()
        let (new, taken) = (await signUp(unknown), await signUp(person.email))
        #expect(new.status == taken.status)
        let (first, second) = (try shape(new.json), try shape(taken.json))
        #expect(first == second)
        // And again, as somebody would who compares.
        let (newAgain, takenAgain) = (try await signUp(unknown).json, try await signUp(person.email).json)
        #expect(try newAgain["id"] == new.json["id"] && takenAgain["id"] == taken.json["id"])
        #expect(try taken.json["id"] != .string(person.id))
        #expect(
            try taken.json["identities"]?[0]?["identity_id"] == takenAgain["identities"]?[0]?["identity_id"])
        #expect(try await auth.message(to: person.email).subject != "")
        // The account is as it was.
        _ = try await auth.signIn(person.email)
    }

    @Test(arguments: ["/otp", "/magiclink", "/recover", "/resend"])
    func `auth-1547: nobody learns whether an address is somebody's`(path: String) async throws {
        let person = try await auth.person()
        for email in [person.email, AuthServer.address()] {
            let reply = await auth.post(
                path, ["email": .string(email), "create_user": false, "type": "signup"])
            #expect(reply.status == 200 && reply.text == "{}", "\(reply.text)")
        }
    }

    @Test func `A wrong password, an unknown user and a ban look the same without the password`() async throws
    {
        let person = try await auth.person()
        _ = await auth.put("/admin/users/\(person.id)", ["ban_duration": "1h"], as: Token.service)
        let replies = [
            await auth.post(
                "/token?grant_type=password", ["email": .string(person.email), "password": "wrong"]),
            await auth.post(
                "/token?grant_type=password", ["email": .string(AuthServer.address()), "password": "wrong"]),
        ]
        #expect(replies.allSatisfy { $0.status == 400 && $0.code == "invalid_credentials" })
        #expect(replies[0].text == replies[1].text)
    }

    @Test func `Checking an unknown user's password takes as long as a known one's`() async throws {
        func time(_ email: String) async -> Duration {
            let start = ContinuousClock.now
            _ = await auth.post("/token?grant_type=password", ["email": .string(email), "password": "wrong"])
            return ContinuousClock.now - start
        }
        // Without the same work, an unknown user would be answered in a fraction of the time, each time. What a busy machine
        // does to single answers goes away when they are many: of each kind the quickest counts, and there is another try.
        var figures: [String] = []
        for _ in 0..<5 {
            let person = try await auth.person()
            var (known, unknown) = (Duration.seconds(60), Duration.seconds(60))
            // Fewer than after which guessing has to wait.
            for _ in 0..<9 {
                known = min(known, await time(person.email))
                unknown = min(unknown, await time(AuthServer.address()))
            }
            if unknown > known / 2, known > unknown / 2 { return }
            figures.append("\(known) \(unknown)")
        }
        Issue.record("\(figures)")
    }

    private func shape(_ json: JSON) -> JSON {
        switch json {
        case .object(let members): .object(members.mapValues(shape))
        case .array(let items): .array(items.map(shape))
        case .string: "text"
        default: json
        }
    }
}
