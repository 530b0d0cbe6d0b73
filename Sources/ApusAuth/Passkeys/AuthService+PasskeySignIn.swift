import ApusJSON
import ApusPostgres
import ApusSQL
import Logging

extension AuthService {
    /// `POST /passkeys/authentication/options`: for whoever it may be.
    package func passkeySignInOptions(_ call: AuthCall) async throws -> AuthAnswer {
        guard settings.factors.allowsPasskeys else { throw AuthFault.passkeysDisabled }
        try await takeTry("passkey", Self.passkeyTries, of: call)
        let lifetime = settings.factors.challengeLifetime
        let challenge = PasskeyChallenge.random()
        try await database.run(challenge.store(.authentication, user: nil, lifetime: lifetime))
        let options = PasskeyOptions.request(
            challenge.bytes, relyingParty: relyingParty, allowed: [], verification: "required",
            timeout: lifetime)
        return challenge.answer(options, expiresAt: Int(now()) + lifetime)
    }

    /// `POST /passkeys/authentication/verify`
    package func signInWithPasskey(_ call: AuthCall) async throws -> AuthAnswer {
        guard settings.factors.allowsPasskeys else { throw AuthFault.passkeysDisabled }
        try await takeTry("passkey", Self.passkeyTries, of: call)
        return try await auditingRefusals(of: AuditEvent("login", traits: ["method": "passkey"]), call) {
            try await signIn(withPasskeyOf: call)
        }
    }

    // MARK: - Non public

    private func signIn(withPasskeyOf call: AuthCall) async throws -> AuthAnswer {
        guard let response = try call.object("credential") else { throw AuthFault.credentialRequired }
        let challenge = try await PasskeyChallenge.consume(call, .authentication, user: nil, database)
        let assertion: WebAuthnAssertion
        do throws(WebAuthnFault) { assertion = try WebAuthnAssertion(response: response) } catch {
            throw AuthFault.passkeyRefused
        }
        guard let known = try await credential(assertion.credentialID),
            assertion.userHandle.map({ $0 == Array(known.user.utf8) }) ?? true
        else { throw AuthFault.passkeyRefused }
        let outcome: WebAuthnAssertion.Outcome
        do throws(WebAuthnFault) {
            outcome = try assertion.check(
                known.credential, challenge: challenge.bytes, relyingParty: relyingParty,
                requiresUserVerification: true)
        } catch {
            logger.info("a passkey was refused", metadata: ["reason": "\(error)", "passkey": "\(known.id)"])
            throw AuthFault.passkeyRefused
        }
        let pending = try await database.transaction { transaction in
            // The counter is compared again where it is kept: two uses of one state cannot both hold.
            let used = try await transaction.query(
                """
                update auth.webauthn_credentials
                set sign_count = \(bind: Int(outcome.signCount))::bigint,
                    backed_up = \(bind: String(outcome.isBackedUp))::boolean, last_used_at = now(), updated_at = now()
                where id = \(bind: known.id)::uuid and sign_count = \(bind: Int(known.credential.signCount))::bigint
                returning id
                """)
            guard used.count == 1 else { throw AuthFault.passkeyRefused }
            try await transaction.query(
                self.recording(
                    AuditEvent("login", user: known.user, traits: ["method": "passkey"]), call))
            return try await self.openSession(
                user: known.user, method: "passkey", call: call, in: transaction)
        }
        return try await issue(pending).answer
    }

    /// Requests of one address in five minutes. Many people may share one.
    private static let passkeyTries = 100

    private struct KnownCredential: Sendable {
        let id: String
        let user: String
        let credential: WebAuthnAssertion.Credential
    }

    private func credential(_ id: [UInt8]) async throws -> KnownCredential? {
        let rows = try await database.query(
            """
            select c.id, c.user_id, encode(c.public_key, 'hex'), c.sign_count, c.backup_eligible
            from auth.webauthn_credentials c join auth.users u on u.id = c.user_id
            where c.credential_id = \(bind: .binary(id, oid: TypeOID.bytea)) and u.deleted_at is null
            """)
        guard let row = rows.string(0, 0), let user = rows.string(0, 1),
            let key = rows.string(0, 2).flatMap({ Hexadecimal.decode($0.utf8) })
        else { return nil }
        return KnownCredential(
            id: row, user: user,
            credential: .init(
                publicKey: key, signCount: UInt32(truncatingIfNeeded: rows.int(0, 3) ?? 0),
                isBackupEligible: rows.bool(0, 4)))
    }
}
