import Testing

/// Coming in for the first time.
@Suite struct SignUpTests {
    @Test func `A confirmed address gets a session whose token opens the data API`() async throws {
        let auth = try await AuthServer.confirming.value
        let email = AuthServer.address()
        let reply = await auth.post(
            "/signup",
            [
                "email": .string(email.uppercased()), "password": .string(AuthServer.password),
                "data": ["age": 42],
            ])
        #expect(reply.status == 200, "\(reply.text)")
        let person = try SignedIn(reply.json)
        #expect(person.email == email)
        #expect(person.claims["role"] == "authenticated")
        #expect(person.claims["iss"] == "https://api.example.com/auth/v1")
        #expect(person.claims["aud"] == "authenticated")
        #expect(person.claims["amr"]?[0]?["method"] == "password")
        #expect(person.claims["user_metadata"]?["age"] == 42)
        let caller = try await auth.server.get("rpc/caller", as: person.access).json
        #expect(caller["role"] == "authenticated")
        #expect(reply.field("Cache-Control") == "no-store")
    }

    @Test func `Every member is there that Swift and Python decode strictly`() async throws {
        let auth = try await AuthServer.confirming.value
        let session = try await auth.person().json
        guard case .object(let members) = session else { return #expect(Bool(false)) }
        #expect(
            Set(members.keys) == [
                "access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user",
            ])
        #expect(session["token_type"] == "bearer")
        let user = try #require(session["user"])
        for name in ["id", "aud", "role", "email", "phone", "created_at", "updated_at"] {
            #expect(user[name]?.text != nil, "\(name)")
        }
        for time in ["created_at", "updated_at", "email_confirmed_at", "confirmed_at", "last_sign_in_at"] {
            let text = try #require(user[time]?.text)
            #expect(text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil, "\(text)")
        }
        #expect(user["phone"] == "")
        #expect(user["is_anonymous"] == false)
        #expect(user["encrypted_password"] == nil)
        let identity = try #require(user["identities"]?[0])
        #expect(identity["id"] == user["id"])
        #expect(identity["identity_id"]?.text != nil && identity["identity_id"] != identity["id"])
        #expect(identity["identity_data"]?["sub"] == user["id"])
        #expect(identity["provider"] == "email")
    }

    @Test func `An address is confirmed by the code in its mail`() async throws {
        let auth = try await AuthServer.mailing.value
        let email = AuthServer.address()
        let body: JSON = ["email": .string(email), "password": .string(AuthServer.password)]
        let reply = await auth.post("/signup", body)
        #expect(try reply.json["id"]?.text != nil, "\(reply.text)")
        #expect(try reply.json["access_token"] == nil)
        #expect(try reply.json["confirmation_sent_at"]?.text != nil)
        #expect(await auth.post("/token?grant_type=password", body).code == "email_not_confirmed")

        let mail = try await auth.message(to: email)
        let verified = await auth.post(
            "/verify", ["type": "signup", "email": .string(email), "token": .string(mail.code)])
        #expect(verified.status == 200, "\(verified.text)")
        #expect(try SignedIn(verified.json).claims["amr"]?[0]?["method"] == "email/signup")
        _ = try await auth.signIn(email)
    }

    @Test func `Whoever signs up last with an address that nobody confirmed sets the password`() async throws
    {
        let auth = try await AuthServer.mailing.value
        let email = AuthServer.address()
        _ = await auth.post("/signup", ["email": .string(email), "password": "the thief's own words"])
        _ = try await auth.message(to: email)
        _ = await auth.post("/signup", ["email": .string(email), "password": .string(AuthServer.password)])
        let mail = try await auth.message(to: email, after: 1)
        let verified = await auth.post(
            "/verify", ["type": "email", "email": .string(email), "token": .string(mail.code)])
        #expect(verified.status == 200)
        _ = try await auth.signIn(email)
        let thief = await auth.post(
            "/token?grant_type=password", ["email": .string(email), "password": "the thief's own words"])
        #expect(thief.code == "invalid_credentials")
    }

    @Test func `By phone, with a code by text message`() async throws {
        let auth = try await AuthServer.mailing.value
        let phone = AuthServer.number()
        let reply = await auth.post(
            "/signup",
            ["phone": .string("+" + phone), "password": .string(AuthServer.password), "channel": .null])
        #expect(try reply.json["phone"] == .string(phone), "\(reply.text)")
        let text = try await auth.message(to: phone)
        let verified = await auth.post(
            "/verify", ["type": "sms", "phone": .string(phone), "token": .string(text.code)])
        #expect(verified.status == 200, "\(verified.text)")
        let signedIn = await auth.post(
            "/token?grant_type=password", ["phone": .string(phone), "password": .string(AuthServer.password)])
        #expect(signedIn.status == 200)
    }

    @Test func `Nobody in particular, who becomes somebody later`() async throws {
        let auth = try await AuthServer.mailing.value
        let reply = await auth.post(
            "/signup", ["data": [:], "gotrue_meta_security": ["captcha_token": .null]])
        #expect(reply.status == 200, "\(reply.text)")
        let nobody = try SignedIn(reply.json)
        #expect(nobody.claims["is_anonymous"] == true)
        #expect(nobody.claims["amr"]?[0]?["method"] == "anonymous")
        let email = AuthServer.address()
        let asked = await auth.put("/user", ["email": .string(email)], as: nobody.access)
        #expect(try asked.json["new_email"] == .string(email), "\(asked.text)")
        let mail = try await auth.message(to: email)
        let verified = await auth.post(
            "/verify", ["type": "email_change", "email": .string(email), "token": .string(mail.code)])
        #expect(verified.status == 200, "\(verified.text)")
        let somebody = try SignedIn(verified.json)
        #expect(somebody.id == nobody.id)
        #expect(somebody.claims["is_anonymous"] == false)
        #expect(somebody.email == email)
        #expect(
            await auth.put("/user", ["password": .string(AuthServer.password)], as: somebody.access)
                .status == 200)
        _ = try await auth.signIn(email)
    }

    @Test(arguments: [
        ("password", "weak_password", "pwned"), ("short", "weak_password", "length"),
        ("Qwertyuiop123", "weak_password", "pwned"), ("11111111111", "weak_password", "pwned"),
    ])
    func `Passwords that everybody knows are refused with reasons`(
        password: String, code: String, reason: String
    ) async throws {
        let auth = try await AuthServer.confirming.value
        let reply = await auth.post(
            "/signup", ["email": .string(AuthServer.address()), "password": .string(password)])
        #expect(reply.status == 422)
        #expect(reply.code == code)
        #expect(try reply.json["weak_password"]?["reasons"]?.items.contains(.string(reason)) == true)
    }

    @Test func `A password that is too long is refused and not cut`() async throws {
        let auth = try await AuthServer.confirming.value
        let reply = await auth.post(
            "/signup",
            [
                "email": .string(AuthServer.address()),
                "password": .string(String(repeating: "ab1", count: 30)),
            ])
        #expect(reply.status == 400)
        #expect(reply.code == "validation_failed")
    }

    @Test func `A trigger of the app that refuses a user says so in its own words`() async throws {
        let auth = try await AuthServer.start(["auth-mailer-autoconfirm": "true"])
        try await auth.server.database.run(
            """
            create function public.only_ours() returns trigger language plpgsql as $$ begin
                if new.email not like '%@ours.example' then raise exception 'only our own people'; end if;
                return new;
            end $$;
            create trigger only_ours before insert on auth.users for each row execute function public.only_ours();
            """)
        let reply = await auth.post(
            "/signup", ["email": .string(AuthServer.address()), "password": .string(AuthServer.password)])
        #expect(reply.status == 500)
        #expect(reply.message == "Database error saving new user: only our own people")
        await auth.stop()
    }

    @Test func `Nobody comes in where signing up is switched off`() async throws {
        let auth = try await AuthServer.start(["auth-disable-signup": "true"])
        let email = AuthServer.address()
        let reply = await auth.post(
            "/signup", ["email": .string(email), "password": .string(AuthServer.password)])
        #expect(reply.status == 422 && reply.code == "signup_disabled")
        #expect(await auth.post("/otp", ["email": .string(email)]).status == 200)
        #expect(try await auth.server.database.value("select count(*) from auth.users") == "0")
        await auth.stop()
    }
}
