import ApusJSON
import ApusPostgres
import ApusSQL
import Logging

extension AuthService {
    /// `POST /passkeys/registration/options`
    package func passkeyRegistrationOptions(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try allowPasskeyChange(caller)
        let user = caller.user.id
        let known = try await database.query(
            """
            select encode(credential_id, 'hex') from auth.webauthn_credentials where user_id = \(bind: user)::uuid
            """)
        guard known.count < settings.factors.maximumPasskeys else { throw AuthFault.tooManyPasskeys }
        let ids = (0..<known.count).compactMap { known.string($0, 0) }.compactMap {
            Hexadecimal.decode($0.utf8)
        }
        let lifetime = settings.factors.challengeLifetime
        let challenge = PasskeyChallenge.random()
        try await database.run(challenge.store(.registration, user: user, lifetime: lifetime))
        let options = PasskeyOptions.creation(
            challenge.bytes, relyingParty: relyingParty, user: caller.user, excluded: ids,
            isDiscoverable: true,
            timeout: lifetime)
        return challenge.answer(options, expiresAt: Int(now()) + lifetime)
    }

    /// `POST /passkeys/registration/verify`
    package func registerPasskey(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try await auditingRefusals(of: AuditEvent("passkey_created", user: caller.user.id), call) {
            try await register(call, caller)
        }
    }

    private func register(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try allowPasskeyChange(caller)
        guard let response = try call.object("credential") else { throw AuthFault.credentialRequired }
        let name = try call.text("friendly_name", limit: 120)
        let challenge = try await PasskeyChallenge.consume(
            call, .registration, user: caller.user.id, database)
        let made: WebAuthnRegistration
        do throws(WebAuthnFault) {
            made = try WebAuthnRegistration(
                response: response, challenge: challenge.bytes, relyingParty: relyingParty,
                requiresUserVerification: true)
        } catch {
            logger.info("a passkey was refused", metadata: ["reason": "\(error)"])
            throw AuthFault.passkeyRefused
        }
        return try await store(made, name: name ?? "Passkey", user: caller.user.id, call)
    }

    // MARK: - Non public

    /// Passkeys are on, the caller is no guest, and has shown the second factor where there is one (R21).
    func allowPasskeyChange(_ caller: Caller) throws(AuthFault) {
        guard settings.factors.allowsPasskeys else { throw .passkeysDisabled }
        guard !caller.user.isAnonymous else { throw .registeredUsersOnly }
        guard !caller.user.isManaged else {
            throw AuthFault(422, "validation_failed", "SSO users cannot register passkeys")
        }
        guard !caller.user.hasVerifiedFactor || caller.session.assurance == "aal2" else {
            throw AuthFault(
                403, "insufficient_aal", "AAL2 session is required to manage passkeys when MFA is enabled")
        }
    }

    private func store(
        _ made: WebAuthnRegistration, name: String, user: String, _ call: AuthCall
    ) async throws -> AuthAnswer {
        let maximum = settings.factors.maximumPasskeys
        let transports = String(decoding: JSONValue.strings(made.transports).bytes, as: UTF8.self)
        let id = UUIDText.random()
        return try await database.transaction { transaction in
            try await transaction.query("select from auth.users where id = \(bind: user)::uuid for update")
            let count = try await transaction.query(
                "select count(*) from auth.webauthn_credentials where user_id = \(bind: user)::uuid")
            guard count.int(0, 0) ?? 0 < maximum else { throw AuthFault.tooManyPasskeys }
            let rows = try await transaction.query(
                """
                insert into auth.webauthn_credentials
                    (id, user_id, credential_id, public_key, attestation_type, aaguid, sign_count, transports,
                        backup_eligible, backed_up, friendly_name)
                values (\(bind: id)::uuid, \(bind: user)::uuid,
                    \(bind: .binary(made.credentialID, oid: TypeOID.bytea)),
                    \(bind: .binary(made.publicKey, oid: TypeOID.bytea)), \(bind: made.attestationType),
                    \(bind: UUIDText.write(made.aaguid))::uuid, \(bind: Int(made.signCount))::bigint,
                    \(bind: transports)::jsonb, \(bind: String(made.isBackupEligible))::boolean,
                    \(bind: String(made.isBackedUp))::boolean, \(bind: name))
                on conflict (credential_id) do nothing
                returning \(AuthUser.time("created_at"))
                """)
            guard let created = rows.string(0, 0) else {
                throw AuthFault(422, "webauthn_credential_exists", "This credential is already registered")
            }
            try await transaction.query(self.recording(AuditEvent("passkey_created", user: user), call))
            return .json(["id": .string(id), "friendly_name": .string(name), "created_at": .string(created)])
        }
    }
}

extension AuthFault {
    fileprivate static let tooManyPasskeys = AuthFault(
        422, "too_many_passkeys", "Maximum number of passkeys reached")
}
