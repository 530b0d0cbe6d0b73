import ApusTestSupport
import Testing

/// Attacks on whose account it is and what it may reach.
@Suite struct AttackedAccountTests {
    let auth: AuthServer

    init() async throws { auth = try await AuthServer.confirming.value }

    @Test(arguments: ["role:admin", "service_role", "00000000", "' or ''='", "../admin"])
    func `GHSA-8xq9-g7ch-35hg: an id is a UUID and gains nothing`(id: String) async throws {
        let body: JSON = ["id": .string(id), "email": .string(AuthServer.address()), "email_confirm": true]
        let reply = await auth.post("/admin/users", body, as: Token.service)
        #expect(reply.status == 400 && reply.code == "validation_failed", "\(reply.text)")
    }

    @Test func `CVE-2025-61928: whoever a body names, it is done for the caller`() async throws {
        let (person, victim) = (try await auth.person(), try await auth.person())
        let named: [String: JSON] = [
            "user_id": .string(victim.id), "userId": .string(victim.id), "id": .string(victim.id),
        ]
        let factor = await auth.post(
            "/factors", .object(named.merging(["factor_type": "totp"]) { $1 }), as: person.access)
        #expect(factor.status == 200, "\(factor.text)")
        _ = await auth.put("/user", .object(named.merging(["data": ["a": 1]]) { $1 }), as: person.access)
        #expect(
            try await auth.get("/user", as: person.access).json["factors"]?[0]?["id"] == factor.json["id"])
        let untouched = try await auth.get("/user", as: victim.access).json
        #expect(untouched["factors"] == nil && untouched["user_metadata"]?["a"] == nil)
        #expect(await auth.post("/factors", .object(named)).code == "no_authorization")
    }

    @Test func `auth-2555: a token that says it is an administrator's and belongs to a session is none`()
        async throws
    {
        let person = try await auth.person()
        _ = await auth.put("/admin/users/\(person.id)", ["role": "service_role"], as: Token.service)
        let strong = try await auth.signIn(person.email)
        #expect(strong.claims["role"] == "service_role")
        #expect(await auth.get("/admin/users", as: strong.access).code == "not_admin")
        #expect(await auth.post("/logout", as: strong.access).status == 204)
        #expect(
            try await eventually {
                await auth.get("/admin/users", as: strong.access).code == "session_not_found"
            })
    }

    @Test(arguments: [
        "anon", "authenticated", "readonly_admin", "SERVICE_ROLE", "service_role ", "supabase_admin2",
    ])
    func `CVE-2026-29182: only the roles that are named administer`(role: String) async throws {
        let token = Token.make(#"{"role":"\#(role)"}"#)
        for (verb, path) in [
            (Verb.get, "/admin/users"), (.post, "/admin/users"), (.post, "/admin/generate_link"),
        ] {
            let reply = await auth.server.send(
                verb, "/auth/v1" + path, as: token, AuthServer.version, body: "{}")
            #expect(reply.status == 403 && reply.code == "not_admin", "\(reply.text)")
        }
    }

    @Test func `R22: a service key in a browser administers nothing`() async throws {
        for path in ["/admin/users", "/admin/audit"] {
            let fields = AuthServer.version.merging(["Sec-Fetch-Site": "same-origin"]) { $1 }
            #expect(await auth.get(path, as: Token.service, fields).code == "not_admin")
            #expect(await auth.get(path, as: Token.service).status == 200)
        }
    }

    /// Parse Server CVE-2026-34574 and its like: sessions, factors and everything else of authentication are out of reach
    /// of whoever calls the data API, whatever schema is exposed.
    /// Who finds an open session must not move the account to a number of their own, from which they could sign in for ever.
    @Test func `R6: another number needs a fresh proof`() async throws {
        let (old, new) = (AuthServer.number(), AuthServer.number())
        let made = await auth.post(
            "/admin/users",
            ["phone": .string(old), "password": .string(AuthServer.password), "phone_confirm": true],
            as: Token.service)
        #expect(made.status == 200, "\(made.text)")
        let person = try SignedIn(
            await auth.post(
                "/token?grant_type=password",
                ["phone": .string(old), "password": .string(AuthServer.password)]
            ).json)
        try await auth.server.database.run(
            "update auth.sessions set created_at = now() - interval '2 days' where id = '\(person.session)'")
        let refused = await auth.put("/user", ["phone": .string(new)], as: person.access)
        #expect(refused.status == 400 && refused.code == "reauthentication_needed")
        #expect(await auth.put("/user", ["data": ["name": "Ada"]], as: person.access).status == 200)
        #expect(await auth.post("/reauthenticate", as: person.access).status == 200)
        let code = try await auth.message(to: old).code
        let nonce = JSON.object(["phone": .string(new), "nonce": .string(code)])
        #expect(await auth.put("/user", nonce, as: person.access).status == 200)
        #expect(try await auth.message(to: new).code.isEmpty == false)
    }

    @Test func `Nobody but authentication reaches its tables`() async throws {
        let database = auth.server.database
        let reached = try await database.value(
            """
            select string_agg(r.role || ' ' || c.relname, ', ')
            from pg_class c cross join (values ('anon'), ('authenticated')) r (role)
            where c.relnamespace = 'auth'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')
                and has_table_privilege(r.role, c.oid, 'select, insert, update, delete')
            """)
        #expect(reached == nil)
        let open = try await database.value(
            """
            select string_agg(relname, ', ') from pg_class
            where relnamespace = 'auth'::regnamespace and relkind = 'r' and not relrowsecurity
            """)
        #expect(open == nil)
        let person = try await auth.person()
        for path in ["sessions?select=*", "users?select=encrypted_password"] {
            let reply = await auth.server.send(.get, path, as: person.access, ["Accept-Profile": "auth"])
            #expect(reply.status == 406)
        }
        let raised = await auth.server.send(
            .patch, "sessions?id=eq.\(person.session)", as: person.access, ["Content-Profile": "auth"],
            body: #"{"not_after": null, "aal": "aal2"}"#)
        #expect(raised.status == 406)
    }

    @Test func `CVE-2025-48757: a table that nobody opened is closed to the public key`() async throws {
        let auth = try await AuthServer.start()
        try await auth.server.database.run(
            "create table library.diary (id int primary key, secret text); insert into library.diary values (1, 'mine')"
        )
        let person = try await auth.person()
        for token in [nil, Token.make(#"{"role":"anon"}"#), person.access] {
            // The catalog hears of the table a moment later.
            #expect(try await eventually { await auth.server.get("diary", as: token).code == "42501" })
        }
        await auth.stop()
    }

    /// Parse Server CVE-2026-30863: an audience that is not configured must not be one that fits all.
    @Test func `CVE-2026-30863: a provider without a client id does not start`() async throws {
        await #expect(throws: (any Error).self) {
            _ = try await AuthServer.start(["auth-external-acme-url": "https://id.acme.example"])
        }
    }

    @Test func `CVE-2026-27946: an address counts as verified when its owner says so, not its user`()
        async throws
    {
        let mailing = try await AuthServer.mailing.value
        let person = try await mailing.person()
        let new = AuthServer.address()
        let asked = await mailing.put(
            "/user",
            [
                "email": .string(new), "email_confirmed_at": "2020-01-01T00:00:00Z", "email_verified": true,
                "data": ["email_verified": true, "email": .string(new)],
            ], as: person.access)
        #expect(try asked.json["email"] == .string(person.email), "\(asked.text)")
        let user = try await mailing.get("/user", as: person.access).json
        #expect(user["email"] == .string(person.email) && user["new_email"] == .string(new))
        #expect(
            await mailing.post(
                "/token?grant_type=password",
                ["email": .string(new), "password": .string(AuthServer.password)]
            ).code == "invalid_credentials")
    }

    @Test func `R21: a new password by mail does not go around the second factor`() async throws {
        let server = try await AuthServers.factors.value
        let ada = try await Person.signUp(server)
        _ = try await Authenticator.enrol(ada).strengthen(ada)
        let made = try await server.send(
            .post, "/auth/v1/admin/generate_link", as: Token.service, AuthServer.version,
            body: #"{"type": "recovery", "email": "\#(ada.email)"}"#
        ).json
        let hash = try #require(made["hashed_token"]?.text)
        let signedIn = try await server.send(
            .post, "/auth/v1/verify", AuthServer.version,
            body: #"{"type": "recovery", "token_hash": "\#(hash)"}"#
        ).json
        let token = try #require(signedIn["access_token"]?.text)
        let change = await server.send(
            .put, "/auth/v1/user", as: token, AuthServer.version,
            body: #"{"password": "a stranger's own words"}"#)
        #expect(change.status == 401 && change.code == "insufficient_aal", "\(change.text)")
    }
}
