import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `POST /factors`
    package func enrolFactor(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard !caller.user.isAnonymous else { throw AuthFault.registeredUsersOnly }
        let name = try call.text("friendly_name", limit: 256) ?? ""
        let kind = try call.text("factor_type").flatMap { AuthFactor.Kind(rawValue: $0) }
        guard let kind, kind != .recoveryCode else {
            throw AuthFault.invalid("factor_type needs to be totp, phone, or webauthn")
        }
        return try await auditingRefusals(of: Self.enrolment(kind, caller), call) {
            switch kind {
            case .totp: return try await enrolTOTP(call, caller, name)
            case .phone: return try await enrolPhone(call, caller, name)
            default: return try await enrolWebAuthn(call, caller, name)
            }
        }
    }

    private static func enrolment(_ kind: AuthFactor.Kind, _ caller: Caller) -> AuditEvent {
        AuditEvent("factor_in_progress", user: caller.user.id, traits: ["method": .string(kind.method)])
    }

    // MARK: - Kinds

    private func enrolTOTP(_ call: AuthCall, _ caller: Caller, _ name: String) async throws -> AuthAnswer {
        guard settings.factors.enrolsTOTP else { throw AuthFault.factorKindDisabled(.totp, "enroll") }
        let issuer = try call.text("issuer", limit: 128) ?? factorIssuer
        let account = caller.user.email ?? caller.user.phone ?? caller.user.id
        let id = UUIDText.random()
        let totp = TOTP.random()
        let uri = totp.uri(issuer: issuer, account: account)
        guard let code = QRCode(uri) else { throw AuthFault.invalid("issuer is too long") }
        let secret = try sealSeed(totp, factor: id)
        try await insertFactor(id, .totp, call, caller, name: name, secret: secret, phone: nil)
        return .json([
            "id": .string(id), "type": "totp", "friendly_name": .string(name),
            "totp": ["qr_code": .string(code.svg), "secret": .string(totp.secretText), "uri": .string(uri)],
        ])
    }

    private func enrolPhone(_ call: AuthCall, _ caller: Caller, _ name: String) async throws -> AuthAnswer {
        guard settings.factors.enrolsPhone else { throw AuthFault.factorKindDisabled(.phone, "enroll") }
        guard let given = try call.text("phone") else {
            throw AuthFault.invalid("Phone number required to enroll Phone factor")
        }
        guard let phone = Self.factorPhone(given) else {
            throw AuthFault.invalid("Invalid phone number format (E.164 required)")
        }
        let id = UUIDText.random()
        try await insertFactor(id, .phone, call, caller, name: name, secret: nil, phone: phone)
        return .json([
            "id": .string(id), "type": "phone", "friendly_name": .string(name), "phone": .string(phone),
        ])
    }

    private func enrolWebAuthn(
        _ call: AuthCall, _ caller: Caller, _ name: String
    ) async throws -> AuthAnswer {
        guard settings.factors.enrolsWebAuthn else { throw AuthFault.factorKindDisabled(.webAuthn, "enroll") }
        let id = UUIDText.random()
        try await insertFactor(id, .webAuthn, call, caller, name: name, secret: nil, phone: nil)
        return .json(["id": .string(id), "type": "webauthn", "friendly_name": .string(name)])
    }

    // MARK: - Storing

    /// Stores an unverified factor, when the user may have one more. The user's row is locked, so that two requests
    /// at once cannot both be the last that fits.
    private func insertFactor(
        _ id: String, _ kind: AuthFactor.Kind, _ call: AuthCall, _ caller: Caller, name: String,
        secret: String?,
        phone: String?
    ) async throws {
        let user = caller.user.id
        let (maximum, lifetime) = (settings.factors.maximum, settings.factors.unverifiedLifetime)
        let isStrong = caller.session.assurance == "aal2"
        try await database.transaction { transaction in
            try await transaction.run([
                "select from auth.users where id = \(bind: user)::uuid for update",
                """
                delete from auth.mfa_factors where user_id = \(bind: user)::uuid and status = 'unverified'
                    and created_at < now() - make_interval(secs => \(bind: lifetime)::int)
                """,
            ])
            let known = try await transaction.query(
                """
                select count(*), count(*) filter (where status = 'verified'),
                    count(*) filter (where friendly_name = \(bind: name) and friendly_name <> '')
                from auth.mfa_factors where user_id = \(bind: user)::uuid
                """)
            guard known.int(0, 0) ?? 0 < maximum else { throw AuthFault.tooManyFactors }
            // Whoever has a factor must have used it before another is added (R21).
            guard known.int(0, 1) == 0 || isStrong else {
                throw AuthFault(403, "insufficient_aal", "AAL2 required to enroll a new factor")
            }
            guard known.int(0, 2) == 0 else {
                throw AuthFault(
                    422, "mfa_factor_name_conflict",
                    "A factor with the friendly name \"\(name)\" for this user already exists")
            }
            try await transaction.run([
                """
                insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, secret, phone)
                values (\(bind: id)::uuid, \(bind: user)::uuid, \(bind: name), \(bind: kind.rawValue)::auth.factor_type,
                    'unverified', \(bind: SQLValue(secret)), \(bind: SQLValue(phone)))
                """,
                self.recording(Self.enrolment(kind, caller), call),
            ])
        }
    }

    /// What authenticator apps show above the code.
    private var factorIssuer: String {
        settings.factors.issuer.isEmpty ? WebAddress.host(of: settings.siteURL) : settings.factors.issuer
    }

    /// Digits of an international number; nil for anything else (ITU-T E.164: at most 15).
    static func factorPhone(_ text: String) -> String? {
        let digits = text.hasPrefix("+") ? String(text.dropFirst()) : text
        guard (7...15).contains(digits.utf8.count), !digits.hasPrefix("0"),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return digits
    }

    // MARK: - Seeds

    func sealSeed(_ totp: TOTP, factor: String) throws -> String {
        Base64Text.encode(try masterKeys.seal(totp.secret, context: Self.seedContext(factor)))
    }

    /// The seed of a TOTP factor.
    ///
    /// - Throws: when it cannot be opened, which is a matter of configuration.
    func openSeed(of factor: AuthFactor) throws -> TOTP {
        guard let sealed = factor.secret.flatMap({ Base64Text.decode($0) }) else {
            throw AuthFault.unexpected
        }
        return TOTP(secret: try masterKeys.open(sealed, context: Self.seedContext(factor.id)))
    }

    private static func seedContext(_ factor: String) -> String { "auth.mfa_factors.secret/" + factor }
}
