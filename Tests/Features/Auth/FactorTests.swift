import ApusAuth
import Testing

/// Second factors through the front door.
@Suite struct FactorTests {
    let server: TestServer

    init() async throws { server = try await AuthServers.factors.value }

    @Test func enrolAndVerify() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada, name: "phone")
        #expect(app.reply.status == 200)
        let enrolled = try app.reply.json
        #expect(enrolled["type"] == "totp")
        #expect(enrolled["friendly_name"] == "phone")
        #expect(enrolled["totp"]?["qr_code"]?.text?.hasPrefix("<svg ") == true)
        #expect(enrolled["totp"]?["uri"]?.text?.contains("issuer=localhost") == true)

        let challenge = await ada.post("/factors/\(app.factor)/challenge")
        #expect(try challenge.json["type"] == "totp")
        #expect(try challenge.json["expires_at"] != nil)

        let wrong = try await app.verify(ada, app.wrongCode)
        #expect(wrong.status == 422)
        #expect(try wrong.json["error_code"] == "mfa_verification_failed")

        let strong = try await app.strengthen(ada)
        #expect(strong.claims["aal"] == "aal2")
        #expect(Set(strong.claims["amr"]?.all("method") ?? []) == ["totp", "password"])
        let user = try await strong.get("/user").json
        #expect(user["factors"]?[0]?["status"] == "verified")
        #expect(user["factors"]?[0]?["secret"] == nil)
    }

    @Test func aCodeNeverHoldsTwice() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let code = app.code()
        #expect(try await app.verify(ada, code).status == 200)
        let again = try await app.verify(ada, code)
        #expect(try again.json["error_code"] == "mfa_verification_failed")
        #expect(try await app.verify(ada, app.code(1)).status == 200)
    }

    @Test func ofManyUsesAtOnceOneWins() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let challenge = try await app.challenge(ada)
        let body = #"{"challenge_id": "\#(challenge)", "code": "\#(app.code())"}"#
        let statuses = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await ada.post("/factors/\(app.factor)/verify", body).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.count { $0 == 200 } == 1)
        #expect(statuses.allSatisfy { [200, 422, 429].contains($0) })
    }

    @Test func guessesAreCountedOverSessions() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let strong = try await app.strengthen(ada)
        for _ in 0..<5 {
            #expect(try await app.verify(strong, app.wrongCode).status == 422)
        }
        // The first wait is a second, which a slow machine takes until the next guess.
        let waits = try await server.database.value(
            """
            update auth.mfa_attempts set locked_until = locked_until + interval '1 minute'
            where user_id = '\(ada.id)' and locked_until is not null returning failures
            """)
        #expect(waits == "5")
        let elsewhere = try await ada.onAnotherDevice()
        let refused = try await app.verify(elsewhere, app.code())
        #expect(refused.status == 429)
        #expect(refused.field("Retry-After") != nil)
    }

    @Test func secondFactorNeedsTheFirst() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        _ = try await app.strengthen(ada)
        let elsewhere = try await ada.onAnotherDevice()
        let reply = await elsewhere.post("/factors", #"{"factor_type": "totp"}"#)
        #expect(reply.status == 403)
        #expect(try reply.json["error_code"] == "insufficient_aal")
        let removal = await elsewhere.delete("/factors/\(app.factor)")
        #expect(removal.status == 422)
    }

    @Test func sessionsWithOneFactorEnd() async throws {
        let ada = try await Person.signUp(server)
        let elsewhere = try await ada.onAnotherDevice()
        #expect(await elsewhere.get("/user").status == 200)
        let app = try await Authenticator.enrol(ada)
        _ = try await app.strengthen(ada)
        #expect(await elsewhere.get("/user").status == 403)
    }

    @Test func counterMovesByTwo() async throws {
        let ada = try await Person.signUp(server)
        let counter = "select refresh_token_counter::text from auth.sessions where user_id = '\(ada.id)'"
        #expect(try await server.database.value(counter) == "0")
        _ = try await Authenticator.enrol(ada).strengthen(ada)
        #expect(try await server.database.value(counter) == "2")
    }

    @Test func removalMakesSessionsWeakAgain() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let strong = try await app.strengthen(ada)
        _ = await strong.post("/factors/recovery-codes")
        #expect(await strong.delete("/factors/\(app.factor)").status == 200)
        let left = "select count(*)::text from auth.mfa_factors where user_id = '\(ada.id)'"
        #expect(try await server.database.value(left) == "0")
        let aal = "select aal::text from auth.sessions where user_id = '\(ada.id)'"
        #expect(try await server.database.value(aal) == "aal1")
        let amr =
            "select string_agg(authentication_method, ',') from auth.mfa_amr_claims a "
            + "join auth.sessions s on s.id = a.session_id where s.user_id = '\(ada.id)'"
        #expect(try await server.database.value(amr) == "password")
    }

    @Test func othersFactorsAreNotThere() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let ben = try await Person.signUp(server)
        #expect(await ben.post("/factors/\(app.factor)/challenge").status == 404)
        #expect(await ben.delete("/factors/\(app.factor)").status == 404)
        #expect(await ben.delete("/factors/not-a-uuid").status == 404)
    }

    @Test func namesAreUniqueAndNumbersBounded() async throws {
        let ada = try await Person.signUp(server)
        _ = try await Authenticator.enrol(ada, name: "one")
        let same = await ada.post("/factors", #"{"factor_type": "totp", "friendly_name": "one"}"#)
        #expect(try same.json["error_code"] == "mfa_factor_name_conflict")
        for _ in 0..<9 { _ = try await Authenticator.enrol(ada) }
        let last = await ada.post("/factors", #"{"factor_type": "totp"}"#)
        #expect(try last.json["error_code"] == "too_many_enrolled_mfa_factors")
    }

    @Test func lateAnswersAreRefused() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let challenge = try await app.challenge(ada)
        try await server.database.run(
            "update auth.mfa_challenges set created_at = now() - interval '6 minutes' where id = '\(challenge)'"
        )
        let reply = await ada.post(
            "/factors/\(app.factor)/verify", #"{"challenge_id": "\#(challenge)", "code": "\#(app.code())"}"#)
        #expect(try reply.json["error_code"] == "mfa_challenge_expired")
    }

    @Test func seedsAreSealed() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let kept = try await server.database.value(
            "select secret from auth.mfa_factors where id = '\(app.factor)'")
        let sealed = try #require(kept.flatMap { Base64Text.decode($0) })
        #expect(sealed.count > app.totp.secret.count + 16)
        #expect(!String(decoding: sealed, as: UTF8.self).contains(app.totp.secretText))
    }

    @Test func administratorsSeeAndRemove() async throws {
        let ada = try await Person.signUp(server)
        let app = try await Authenticator.enrol(ada)
        let path = "/auth/v1/admin/users/\(ada.id)/factors"
        #expect(await server.send(.get, path, as: ada.token).status == 403)
        let seen = await server.send(.get, path, as: Token.service)
        #expect(try seen.json.all("id") == [.string(app.factor)])
        let renamed = await server.send(
            .put, path + "/" + app.factor, as: Token.service, body: #"{"friendly_name": "lost"}"#)
        #expect(try renamed.json["friendly_name"] == "lost")
        #expect(await server.send(.delete, path + "/" + app.factor, as: Token.service).status == 200)
        #expect(try await server.send(.get, path, as: Token.service).json == [])
    }
}

/// Servers of the tests of authentication.
enum AuthServers {
    static let factors = Task {
        try await TestServer.start([
            "auth-mailer-autoconfirm": "true", "auth-site-url": "https://localhost",
            "auth-mfa-web-authn-enroll-enabled": "true", "auth-mfa-web-authn-verify-enabled": "true",
            "auth-passkey-enabled": "true", "auth-webauthn-rp-id": "example.com",
            "auth-webauthn-rp-origins": "https://example.com",
        ])
    }
}
