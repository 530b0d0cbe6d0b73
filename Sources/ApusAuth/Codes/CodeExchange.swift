import ApusJSON
import ApusPostgres
package import ApusSQL
import ApusTokens
import Crypto

/// Proof Key for Code Exchange (RFC 7636): who asked for a link is who may use what it gives.
package enum CodeExchange {
    /// Seconds that a flow waits for its link to be followed.
    static let patience = 86_400
    /// Seconds that a code may take from the link to the exchange (ASVS 5.0, 10.4.3).
    static let codeLifetime = 60

    /// The challenge of a request; nil when it brings none.
    ///
    /// - Throws: `validation_failed` for half a challenge, for `plain`, and for one that is no SHA-256.
    package static func challenge(of call: AuthCall) throws(AuthFault) -> String? {
        let challenge = try call.text("code_challenge", limit: 128) ?? call.query["code_challenge"]
        let method = try call.text("code_challenge_method", limit: 16) ?? call.query["code_challenge_method"]
        guard let challenge, !challenge.isEmpty else {
            guard method == nil || method?.isEmpty == true else {
                throw .invalid("PKCE flow requires code_challenge_method and code_challenge")
            }
            return nil
        }
        guard method?.lowercased() == "s256" else {
            throw .invalid("code challenge method must be s256")
        }
        guard let bytes = Base64URL.decode(challenge.utf8), bytes.count == 32 else {
            throw .invalid("code challenge does not adhere to RFC 7636")
        }
        return challenge
    }

    /// Remembers a flow by its id.
    ///
    /// - Parameters:
    ///   - provider: `email`, `phone`, or the name of a provider.
    ///   - method: what `amr` shall say.
    package static func beginning(
        _ id: String, challenge: String, user: String?, provider: String, method: String
    ) -> SQL {
        """
        insert into auth.flow_state (id, user_id, code_challenge, code_challenge_method, provider_type,
            authentication_method, expires_at)
        values (\(bind: id), \(bind: SQLValue(user)), \(bind: challenge), 's256', \(bind: provider),
            \(bind: method), now() + make_interval(secs => \(bind: patience)))
        """
    }

    /// Gives a flow its code; a row when the flow was waiting for one.
    package static func issuing(_ code: String, flow: String, user: String, method: String) -> SQL {
        """
        update auth.flow_state
        set auth_code = \(bind: digest(code)), auth_code_issued_at = now(), user_id = \(bind: user),
            authentication_method = \(bind: method), updated_at = now(),
            expires_at = now() + make_interval(secs => \(bind: codeLifetime))
        where id = \(bind: flow) and auth_code is null and expires_at > now()
        returning id
        """
    }

    /// Whether a verifier is the one that a challenge was made from.
    static func meets(_ verifier: String, challenge: String) -> Bool {
        ConstantTime.equal(
            Array(Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8)))).utf8),
            Array(challenge.utf8))
    }

    static func digest(_ code: String) -> String {
        Hexadecimal.encode(SHA256.hash(data: Array(code.utf8)))
    }
}

extension AuthService {
    /// `POST /token?grant_type=pkce`
    package func exchangeCode(_ call: AuthCall) async throws -> AuthAnswer {
        guard let code = try call.text("auth_code", limit: 128),
            let verifier = try call.text("code_verifier", limit: 128)
        else {
            throw AuthFault.invalid("invalid request: both auth code and code verifier should be non-empty")
        }
        // First come, first served: a second use ends what the first one got.
        let rows = try await database.query(
            """
            update auth.flow_state set code_used_at = now()
            where auth_code = \(bind: CodeExchange.digest(code)) and code_used_at is null
            returning id, user_id, code_challenge, authentication_method, expires_at > now(),
                provider_access_token, provider_refresh_token
            """)
        guard let flow = rows.string(0, 0), let user = rows.string(0, 1) else {
            try await endSessionOfReusedCode(code, call)
            throw AuthFault(404, "flow_state_not_found", "invalid flow state, no valid flow state found")
        }
        guard rows.bool(0, 4) == true else {
            throw AuthFault(422, "flow_state_expired", "invalid flow state, flow state has expired")
        }
        guard CodeExchange.meets(verifier, challenge: rows.string(0, 2) ?? "") else {
            throw AuthFault(
                400, "bad_code_verifier", "code challenge does not match previously saved code verifier")
        }
        let method = rows.string(0, 3) ?? "otp"
        let tokens = (rows.string(0, 5), rows.string(0, 6))
        let pending = try await database.transaction { transaction in
            try await self.linkPending(flow: flow, user: user, call, in: transaction)
            var grant = try await self.openSession(user: user, method: method, call: call, in: transaction)
            try await transaction.run([
                """
                update auth.flow_state set session_id = \(bind: grant.session.id), provider_access_token = null,
                    provider_refresh_token = null where id = \(bind: flow)
                """,
                self.recording(AuditEvent("login", user: user, traits: ["method": .string(method)]), call),
            ])
            if let token = tokens.0 { grant.more["provider_token"] = .string(try self.opened(token, flow)) }
            if let token = tokens.1 {
                grant.more["provider_refresh_token"] = .string(try self.opened(token, flow))
            }
            return grant
        }
        return try await issue(pending).answer
    }

    private func opened(_ sealed: String, _ flow: String) throws -> String {
        guard let bytes = Base64URL.decode(sealed.utf8) else { throw AuthFault.unexpected }
        return String(decoding: try masterKeys.open(bytes, context: Self.flowContext(flow)), as: UTF8.self)
    }

    /// The context under which a flow's provider tokens are sealed, as base64url of ``MasterKeys/seal(_:context:)``.
    package static func flowContext(_ flow: String) -> String { "flow \(flow)" }

    private func endSessionOfReusedCode(_ code: String, _ call: AuthCall) async throws {
        let rows = try await database.query(
            """
            delete from auth.sessions s using auth.flow_state f
            where f.auth_code = \(bind: CodeExchange.digest(code)) and s.id = f.session_id returning s.user_id
            """)
        guard let user = rows.string(0, 0) else { return }
        await record(AuditEvent("login", user: user, failure: "code_reused"), call)
    }
}
