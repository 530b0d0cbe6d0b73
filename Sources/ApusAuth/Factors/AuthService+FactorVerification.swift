import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Logging

extension AuthService {
    /// `POST /factors/:factor_id/verify`: proves a factor, which makes the session `aal2`.
    package func verifyFactor(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let factor = try await factor(call, caller)
        return try await auditingRefusals(of: Self.verification(by: factor.kind.method, caller), call) {
            try await verify(factor, call, caller)
        }
    }

    /// What the audit log says of a second factor that is shown.
    static func verification(by method: String, _ caller: Caller) -> AuditEvent {
        AuditEvent("verification_attempted", user: caller.user.id, traits: ["method": .string(method)])
    }

    private func verify(_ factor: AuthFactor, _ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard let challengeID = try call.text("challenge_id").flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.invalid("challenge_id must be a UUID")
        }
        let challenge = try await openChallenge(challengeID, of: factor)
        // Counted before it is looked at, so that many guesses at once are as many guesses.
        try await takeFactorAttempt(user: caller.user.id)
        let proof: Proof = try await judged(factor.kind, factor.id, caller) {
            try self.proof(factor, challenge, call)
        }
        let pending = try await database.transaction { transaction in
            let used = try await transaction.query(
                """
                update auth.mfa_challenges set verified_at = now()
                where id = \(bind: challenge.id)::uuid and verified_at is null returning id
                """)
            guard used.count == 1 else { throw AuthFault.challengeNotFound }
            try await self.record(proof, factor, in: transaction)
            return try await self.strengthen(
                caller, by: factor.kind.method, factor: factor.id, isNew: !factor.isVerified, call,
                in: transaction)
        }
        return try await issue(pending).answer
    }

    // MARK: - Challenges

    private struct OpenChallenge: Sendable {
        var id: String
        var code: String?
        var webAuthn: [UInt8]?
    }

    private func openChallenge(_ id: String, of factor: AuthFactor) async throws -> OpenChallenge {
        let lifetime = settings.factors.challengeLifetime
        let rows = try await database.query(
            """
            select c.otp_code, c.web_authn_session_data ->> 'challenge',
                c.created_at < now() - make_interval(secs => \(bind: lifetime)::int)
            from auth.mfa_challenges c
            where c.id = \(bind: id)::uuid and c.factor_id = \(bind: factor.id)::uuid and c.verified_at is null
            """)
        guard rows.count == 1 else { throw AuthFault.challengeNotFound }
        guard rows.bool(0, 2) == false else { throw AuthFault.challengeExpired }
        return OpenChallenge(
            id: id, code: rows.string(0, 0), webAuthn: rows.string(0, 1).flatMap { Base64URL.decode($0.utf8) }
        )
    }

    // MARK: - Proofs

    /// What was shown, and what has to be kept of it.
    private enum Proof: Sendable {
        case totp(step: Int64)
        case phone
        case registration(FactorCredential)
        case assertion(FactorCredential, previousCount: UInt32)
    }

    private func proof(_ factor: AuthFactor, _ challenge: OpenChallenge, _ call: AuthCall) throws -> Proof {
        switch factor.kind {
        case .totp:
            guard settings.factors.verifiesTOTP else { throw AuthFault.factorKindDisabled(.totp, "verify") }
            guard let code = try call.text("code") else {
                throw AuthFault.invalid("Code needs to be non-empty")
            }
            guard let step = try openSeed(of: factor).step(of: code, at: now(), after: factor.lastStep) else {
                throw AuthFault.wrongFactor("Invalid TOTP code entered")
            }
            return .totp(step: step)
        case .phone:
            guard settings.factors.verifiesPhone else { throw AuthFault.factorKindDisabled(.phone, "verify") }
            guard let code = try call.text("code") else {
                throw AuthFault.invalid("Code needs to be non-empty")
            }
            let digest = Self.phoneDigest(code, challenge: challenge.id, factor: factor.id)
            guard let known = challenge.code, ConstantTime.equal(known.utf8, digest.utf8) else {
                throw AuthFault.wrongFactor("Invalid MFA Phone code entered")
            }
            return .phone
        case .webAuthn: return try webAuthnProof(factor, challenge, call)
        case .recoveryCode: throw AuthFault.challengeNotFound
        }
    }

    private func webAuthnProof(
        _ factor: AuthFactor, _ challenge: OpenChallenge, _ call: AuthCall
    ) throws -> Proof {
        guard settings.factors.verifiesWebAuthn else {
            throw AuthFault.factorKindDisabled(.webAuthn, "verify")
        }
        guard let given = try call.object("webauthn") else {
            throw AuthFault.invalid("WebAuthn config required")
        }
        guard let response = given["credential_response"]?.object else {
            throw AuthFault.invalid("credential_response required")
        }
        guard let bytes = challenge.webAuthn else { throw AuthFault.challengeNotFound }
        do throws(WebAuthnFault) {
            if let credential = factor.credential.flatMap({ FactorCredential($0) }), factor.isVerified {
                let assertion = try WebAuthnAssertion(response: response)
                guard assertion.credentialID == credential.id else { throw .signatureInvalid }
                let outcome = try assertion.check(
                    .init(
                        publicKey: credential.publicKey, signCount: credential.signCount,
                        isBackupEligible: credential.isBackupEligible),
                    challenge: bytes, relyingParty: relyingParty, requiresUserVerification: false)
                var used = credential
                used.signCount = outcome.signCount
                return .assertion(used, previousCount: credential.signCount)
            }
            return .registration(
                FactorCredential(
                    try WebAuthnRegistration(
                        response: response, challenge: bytes, relyingParty: relyingParty,
                        requiresUserVerification: false)))
        } catch {
            logger.info("a WebAuthn factor was refused", metadata: ["reason": "\(error)"])
            throw AuthFault.wrongFactor("Invalid WebAuthn response")
        }
    }

    /// Keeps what makes a proof good once only: one statement, so that of several at once one wins.
    private func record(_ proof: Proof, _ factor: AuthFactor, in transaction: AuthTransaction) async throws {
        let rows: Rows
        switch proof {
        case .totp(let step): return try await spend(step: step, of: factor, in: transaction)
        case .phone:
            rows = try await transaction.query(
                """
                update auth.mfa_factors set status = 'verified', updated_at = now()
                where id = \(bind: factor.id)::uuid returning id
                """)
        case .registration(let credential):
            rows = try await store(credential, "status = 'unverified'", factor, in: transaction)
        case .assertion(let credential, let previous):
            rows = try await store(
                credential, "(web_authn_credential ->> 'signCount')::bigint = \(bind: Int(previous))::bigint",
                factor,
                in: transaction)
        }
        guard rows.count == 1 else { throw AuthFault.wrongFactor("The code was used already") }
    }

    /// Takes a step of a TOTP factor, and all before it.
    ///
    /// - Throws: 422 when it was taken already.
    func spend(step: Int64, of factor: AuthFactor, in transaction: AuthTransaction) async throws {
        let rows = try await transaction.query(
            """
            update auth.mfa_factors
            set last_totp_step = \(bind: Int(step))::bigint, status = 'verified', updated_at = now()
            where id = \(bind: factor.id)::uuid and coalesce(last_totp_step, -1) < \(bind: Int(step))::bigint
            returning id
            """)
        guard rows.count == 1 else { throw AuthFault.wrongFactor("The code was used already") }
    }

    private func store(
        _ credential: FactorCredential, _ condition: SQL, _ factor: AuthFactor,
        in transaction: AuthTransaction
    ) async throws -> Rows {
        let json = String(decoding: JSONValue.object(credential.json).bytes, as: UTF8.self)
        return try await transaction.query(
            """
            update auth.mfa_factors
            set web_authn_credential = \(bind: json)::jsonb, status = 'verified', updated_at = now()
            where id = \(bind: factor.id)::uuid and \(condition) returning id
            """)
    }

    // MARK: - Attempts

    /// Guesses that are free; from then on each makes the next wait, twice as long every time.
    private static let freeAttempts = 5
    /// Seconds that a guess waits at the most: nobody is locked out for good.
    private static let longestWait = 900

    /// Counts a guess of the user's second factor, over all sessions and addresses (ASVS 6.6.3).
    ///
    /// - Throws: 429 when it comes too early after others.
    func takeFactorAttempt(user: String) async throws {
        let free = Self.freeAttempts
        let rows = try await database.query(
            """
            insert into auth.mfa_attempts as a (user_id, failures) values (\(bind: user)::uuid, 1)
            on conflict (user_id) do update set
                failures = least(a.failures + 1, 1000),
                locked_until = case when a.failures + 1 >= \(bind: free)::int then
                    now() + make_interval(secs => least(
                        power(2, least(a.failures + 1 - \(bind: free)::int, 20)), \(bind: Self.longestWait)::int)) end
            where a.locked_until is null or a.locked_until <= now()
            returning failures
            """)
        guard rows.count == 1 else {
            throw AuthFault.tooOften("over_request_rate_limit", "Too many wrong codes", retryAfter: 60)
        }
    }

    // MARK: - Assurance

    /// Makes the caller's session `aal2`. The counter moves by two, so that a refresh token from before cannot be
    /// exchanged for a stronger session; sessions that show one factor only end.
    ///
    /// - Parameter isNew: whether the factor was verified for the first time.
    func strengthen(
        _ caller: Caller, by method: String, factor: String, isNew: Bool, _ call: AuthCall,
        in transaction: AuthTransaction
    ) async throws -> PendingGrant {
        let (user, session) = (caller.user.id, caller.session.id)
        var event = Self.verification(by: method, caller)
        if isNew { event.traits["enrolled"] = true }
        try await transaction.run([
            "delete from auth.mfa_attempts where user_id = \(bind: user)::uuid",
            """
            insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
            values (gen_random_uuid(), \(bind: session)::uuid, now(), now(), \(bind: method))
            on conflict (session_id, authentication_method) do update set updated_at = now()
            """,
            """
            update auth.sessions set aal = 'aal2', factor_id = \(bind: factor)::uuid, updated_at = now(),
                refresh_token_counter = coalesce(refresh_token_counter, 0) + 2,
                refresh_token_floor = coalesce(refresh_token_counter, 0) + 2
            where id = \(bind: session)::uuid
            """,
            """
            delete from auth.sessions where user_id = \(bind: user)::uuid and id <> \(bind: session)::uuid
                and coalesce(aal::text, 'aal1') = 'aal1'
                and (oauth_client_id is null or \(bind: String(isNew))::boolean)
            """,
            """
            delete from auth.mfa_factors
            where user_id = \(bind: user)::uuid and status = 'unverified' and factor_type =
                (select factor_type from auth.mfa_factors where id = \(bind: factor)::uuid)
            """,
            recording(event, call),
        ])
        return try await grant(session: session, in: transaction)
    }
}
