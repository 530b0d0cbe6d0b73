import ApusAuth
import ApusAuthTestSupport
import ApusJSON
import ApusPostgres
import ApusTestSupport
import ApusTokens
import Testing

/// What the audit log says, and what it must not.
@Suite struct AuditTests {
    @Test func `Every change of a second factor is in the log, and every refusal`() async throws {
        let server = try await AuthServers.factors.value
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada, name: "Ada's telephone")
        #expect(try await app.verify(ada, app.wrongCode).status == 422)
        let strong = try await app.strengthen(ada)
        #expect(await strong.post("/factors/recovery-codes").status == 200)
        #expect(await strong.post("/factors/recovery-codes/verify", #"{"code": "wrong"}"#).status == 422)
        let weak = try await ada.onAnotherDevice()
        #expect(await weak.post("/factors", #"{"factor_type": "totp"}"#).status == 403)
        #expect(await weak.delete("/factors/\(app.factor)").status == 422)
        #expect(await strong.delete("/factors/recovery-codes").status == 200)
        #expect(await strong.delete("/factors/\(app.factor)").status == 200)
        #expect(
            try await story(of: ada.id, server) == [
                "user_signedup", "factor_in_progress totp",
                "verification_attempted totp: mfa_verification_failed",
                "verification_attempted totp", "generate_recovery_codes",
                "verification_attempted mfa/recovery_code: mfa_verification_failed",
                "factor_in_progress totp: insufficient_aal", "factor_unenrolled totp: insufficient_aal",
                "recovery_codes_deleted", "factor_unenrolled totp",
            ])
    }

    @Test func `Passkeys and what administrators do to factors are in the log`() async throws {
        let server = try await AuthServers.factors.value
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let path = "/auth/v1/admin/users/\(ada.id)"
        _ = await server.send(
            .put, path + "/factors/" + app.factor, as: Token.service, body: #"{"friendly_name": "x"}"#)
        #expect(await server.send(.delete, path + "/factors/" + app.factor, as: Token.service).status == 200)
        let passkey = try await register(ada)
        #expect(await ada.post("/passkeys/registration/verify", #"{"credential": {}}"#).status == 400)
        _ = await server.send(
            .patch, "/auth/v1/passkeys/\(passkey)", as: ada.token, body: #"{"friendly_name": "Ada's key"}"#)
        #expect(await server.send(.delete, path + "/passkeys/" + passkey, as: Token.service).status == 204)
        #expect(
            try await story(of: ada.id, server) == [
                "user_signedup", "factor_in_progress totp", "factor_updated", "factor_deleted",
                "passkey_created",
                "passkey_created: validation_failed", "passkey_updated", "passkey_deleted",
            ])
    }

    @Test func `Keys that are rotated and revoked are in the chain, by whoever has the shell`() async throws {
        let auth = try await AuthServer.start()
        let keys = try await auth.rotateKeys()
        try await auth.revokeKey(keys.previous)
        let database = auth.server.database
        let linked = """
            select string_agg(payload ->> 'action' || ' ' || (payload ->> 'actor_role'), ', ' order by number)
            from auth.audit_log_entries where number is not null and payload ->> 'action' like 'signing_key_%'
            """
        #expect(
            try await eventually {
                try await database.value(linked)
                    == "signing_key_rotated operator, signing_key_revoked operator"
            })
        #expect(
            try await database.withOwner { try await $0.query(AuditChain.firstBroken).string(0, 0) } == nil)
        await auth.stop()
    }

    @Test func `Clients of the identity provider are in the log`() async throws {
        let auth = try await AuthServer.start(["auth-oauth-server-enabled": "true"])
        let made = await auth.post(
            "/admin/oauth/clients", ["client_name": "App", "redirect_uris": ["https://app.example/cb"]],
            as: Token.service)
        let id = try #require(try made.json["client_id"]?.text)
        let path = "/admin/oauth/clients/" + id
        #expect(await auth.put(path, ["client_name": "Apps"], as: Token.service).status == 200)
        #expect(await auth.post(path + "/regenerate_secret", as: Token.service).status == 200)
        #expect(await auth.delete(path, as: Token.service).status == 204)
        let told = try await auth.server.database.value(
            """
            select string_agg(payload ->> 'action', ', ' order by created_at) from auth.audit_log_entries
            where payload -> 'traits' ->> 'client_id' = '\(id)'
            """)
        #expect(
            told
                == "oauth_client_created, oauth_client_updated, oauth_client_secret_renewed, oauth_client_deleted"
        )
        await auth.stop()
    }

    @Test(arguments: [false, true])
    func `After an erasure nothing says who it was`(isSoft: Bool) async throws {
        let auth = try await AuthServer.start([
            "auth-mailer-autoconfirm": "true", "auth-site-url": "https://localhost",
            "auth-passkey-enabled": "true",
            "auth-webauthn-rp-id": "example.com", "auth-webauthn-rp-origins": "https://example.com",
            "server-trusted-hops": "1", "auth-oauth-server-enabled": "true",
        ])
        let ada = try await life(auth)
        let database = auth.server.database
        let pseudonym = try #require(
            try await database.value("select pseudonym from auth.audit_subjects where user_id = '\(ada.id)'"))
        let gone = await auth.delete(
            "/admin/users/\(ada.id)", ["should_soft_delete": .bool(isSoft)], as: Token.service)
        #expect(gone.status == 200, "\(gone.text)")

        // The log still tells what happened, of nobody.
        let kept = "select count(*) from auth.audit_log_entries where payload ->> 'actor' = '\(pseudonym)'"
        #expect(Int(try await database.value(kept) ?? "") ?? 0 > 5)
        let secrets = [
            ada.email, "Ada Lovelace", "Ada's telephone", "Ada's laptop", "203.0.113.77", "Analytical Engine",
        ]
        for table in try await tables(database) {
            for secret in secrets + (isSoft && table == "auth.users" ? [] : [ada.id]) {
                let text = secret.replacing("'", with: "''")
                let left = try await database.value(
                    "select count(*) from \(table) t where t::text like '%\(text)%'")
                #expect(left == "0", "\(secret) is in \(table)")
            }
        }
        #expect(
            try await eventually {
                try await database.value("select count(*) from auth.audit_log_entries where number is null")
                    == "0"
            })
        #expect(
            try await database.withOwner { try await $0.query(AuditChain.firstBroken).string(0, 0) } == nil)
        await auth.stop()
    }

    // MARK: - Non public

    /// Somebody who did everything that leaves a trace, from an address of their own.
    private func life(_ auth: AuthServer) async throws -> Person {
        let email = "ada.lovelace-" + AuthServer.address()
        let fields = AuthServer.version.merging(
            ["X-Forwarded-For": "203.0.113.77", "User-Agent": "Analytical Engine"]) { $1 }
        let made = await auth.post(
            "/signup",
            [
                "email": .string(email), "password": .string(AuthServer.password),
                "data": ["full_name": "Ada Lovelace"],
            ],
            as: nil, fields)
        let signedIn = try SignedIn(made.json)
        let ada = Person(id: signedIn.id, email: email, server: auth.server, token: signedIn.access)
        _ = await auth.post(
            "/token?grant_type=password", ["email": .string(email), "password": "wrong"], as: nil, fields)
        let app = try await Authenticator.enrol(ada, name: "Ada's telephone")
        let strong = try await app.strengthen(ada)
        _ = await strong.post("/factors/recovery-codes")
        let passkey = try await register(strong)
        _ = await auth.server.send(
            .patch, "/auth/v1/passkeys/\(passkey)", as: strong.token,
            body: #"{"friendly_name": "Ada's laptop"}"#)
        _ = await auth.get("/admin/users/\(ada.id)", as: Token.service)
        _ = await auth.put("/user", ["data": ["full_name": "Ada Lovelace II"]], as: strong.token)
        return strong
    }

    private func register(_ person: Person) async throws -> String {
        var device = SoftAuthenticator()
        device.userHandle = Array(person.id.utf8)
        let options = try await person.post("/passkeys/registration/options").json
        let challenge = try #require(
            options["options"]?["challenge"]?.text.flatMap { Base64URL.decode($0.utf8) })
        let body: JSONObject = [
            "challenge_id": .string(options["challenge_id"]?.text ?? ""),
            "credential": .object(try device.register(challenge)),
        ]
        let made = await person.post(
            "/passkeys/registration/verify", String(decoding: JSONValue.object(body).bytes, as: UTF8.self))
        return try #require(try made.json["id"]?.text, "\(made.text)")
    }

    /// All tables in which a trace could be.
    private func tables(_ database: FeatureDatabase) async throws -> [String] {
        let names = try await database.value(
            """
            select string_agg(oid::regclass::text, ' ' order by oid) from pg_class
            where relkind = 'r' and relnamespace in ('auth'::regnamespace, 'apus'::regnamespace)
                and relname <> 'inbox'
            """)
        return (names ?? "").split(separator: " ").map { String($0) }
    }

    /// What the log tells of somebody: actions with their method, and with the reason when they failed.
    private func story(of user: String, _ server: TestServer) async throws -> [String] {
        let told = try await server.database.value(
            """
            select string_agg(payload ->> 'action' || coalesce(' ' || (payload -> 'traits' ->> 'method'), '')
                || coalesce(': ' || (payload ->> 'reason'), ''), '|' order by e.created_at)
            from auth.audit_log_entries e join auth.audit_subjects s on s.pseudonym::text = payload ->> 'actor'
            where s.user_id = '\(user)'
            """)
        return (told ?? "").split(separator: "|").map { String($0) }
    }
}
