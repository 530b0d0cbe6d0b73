import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

extension AuthService {
    /// `POST /factors/:factor_id/challenge`
    package func challengeFactor(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let factor = try await factor(call, caller)
        switch factor.kind {
        case .totp:
            guard settings.factors.verifiesTOTP else { throw AuthFault.factorKindDisabled(.totp, "verify") }
            return try await storeChallenge(factor, call)
        case .phone: return try await challengePhone(factor, call, caller)
        case .webAuthn:
            guard settings.factors.verifiesWebAuthn else {
                throw AuthFault.factorKindDisabled(.webAuthn, "verify")
            }
            return try await challengeWebAuthn(factor, call, caller)
        case .recoveryCode: throw AuthFault.invalid("Recovery codes need no challenge")
        }
    }

    /// The factor that the path names, when it is the caller's.
    func factor(_ call: AuthCall, _ caller: Caller) async throws -> AuthFactor {
        guard let id = call.path["factor_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.factorNotFound
        }
        let rows = try await database.query(
            """
            select \(AuthFactor.columns) from auth.mfa_factors f
            where f.id = \(bind: id)::uuid and f.user_id = \(bind: caller.user.id)::uuid
            """)
        guard let factor = AuthFactor(rows) else { throw AuthFault.factorNotFound }
        return factor
    }

    // MARK: - Kinds

    private func challengePhone(
        _ factor: AuthFactor, _ call: AuthCall, _ caller: Caller
    ) async throws -> AuthAnswer {
        guard settings.factors.verifiesPhone else { throw AuthFault.factorKindDisabled(.phone, "verify") }
        guard let phone = factor.phone else { throw AuthFault.factorNotFound }
        let channel: AuthMessage.Channel
        switch try call.text("channel") {
        case nil, "sms": channel = .sms
        case "whatsapp": channel = .whatsapp
        default: throw AuthFault.invalid("channel needs to be sms or whatsapp")
        }
        let code = Self.randomDigits(6)
        let id = UUIDText.random()
        let message = AuthMessage(
            kind: .phoneCode, channel: channel, recipient: phone, code: code, redirectTo: settings.siteURL,
            siteURL: settings.siteURL, user: caller.user.json)
        return try await database.transaction { transaction in
            // One message a minute and factor; the row's lock makes it hold for requests at once.
            let sent = try await transaction.query(
                """
                update auth.mfa_factors set last_challenged_at = clock_timestamp()
                where id = \(bind: factor.id)::uuid
                    and (last_challenged_at is null or last_challenged_at < now() - interval '60 seconds')
                returning id
                """)
            guard sent.count == 1 else {
                throw AuthFault.tooOften(
                    "over_sms_send_rate_limit",
                    "For security purposes, you can only request this after 60 seconds.",
                    retryAfter: 60)
            }
            let answer = try await self.storeChallenge(
                factor, call, id: id, code: Self.phoneDigest(code, challenge: id, factor: factor.id),
                in: transaction)
            try await self.enqueue(message, transaction)
            return answer
        }
    }

    private func challengeWebAuthn(
        _ factor: AuthFactor, _ call: AuthCall, _ caller: Caller
    ) async throws -> AuthAnswer {
        let challenge = RandomBytes.make(32)
        let known = try await database.query(
            """
            select web_authn_credential ->> 'id' from auth.mfa_factors
            where user_id = \(bind: caller.user.id)::uuid and web_authn_credential is not null and status = 'verified'
            """)
        let ids = (0..<known.count).compactMap { known.string($0, 0) }.compactMap { Base64Text.decode($0) }
        let options: JSONObject
        if factor.isVerified {
            let own = factor.credential.flatMap { FactorCredential($0) }.map { [$0.id] } ?? []
            options = PasskeyOptions.request(
                challenge, relyingParty: relyingParty, allowed: own, verification: "preferred",
                timeout: settings.factors.challengeLifetime)
        } else {
            options = PasskeyOptions.creation(
                challenge, relyingParty: relyingParty, user: caller.user, excluded: ids,
                isDiscoverable: false,
                timeout: settings.factors.challengeLifetime)
        }
        var answer = try await storeChallenge(
            factor, call, webAuthn: ["challenge": .string(Base64URL.encode(challenge))])
        if case .json(.object(var body)) = answer.body {
            body["webauthn"] = [
                "type": .string(factor.isVerified ? "request" : "create"),
                "credential_options": ["publicKey": .object(options)],
            ]
            answer.body = .json(.object(body))
        }
        return answer
    }

    // MARK: - Storing

    private func storeChallenge(
        _ factor: AuthFactor, _ call: AuthCall, webAuthn: JSONObject? = nil
    ) async throws -> AuthAnswer {
        try await database.transaction { transaction in
            try await transaction.query(
                """
                update auth.mfa_factors set last_challenged_at = clock_timestamp() where id = \(bind: factor.id)::uuid
                """)
            return try await self.storeChallenge(
                factor, call, id: UUIDText.random(), webAuthn: webAuthn, in: transaction)
        }
    }

    private func storeChallenge(
        _ factor: AuthFactor, _ call: AuthCall, id: String, code: String? = nil, webAuthn: JSONObject? = nil,
        in transaction: AuthTransaction
    ) async throws -> AuthAnswer {
        let lifetime = settings.factors.challengeLifetime
        let data = webAuthn.map { String(decoding: JSONValue.object($0).bytes, as: UTF8.self) }
        try await transaction.run([
            """
            delete from auth.mfa_challenges where factor_id = \(bind: factor.id)::uuid
                and created_at < now() - make_interval(secs => \(bind: lifetime)::int)
            """,
            """
            insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code, web_authn_session_data)
            values (\(bind: id)::uuid, \(bind: factor.id)::uuid, now(),
                coalesce(\(bind: SQLValue(call.inetAddress))::inet, '0.0.0.0'), \(bind: SQLValue(code)),
                \(bind: SQLValue(data))::jsonb)
            """,
        ])
        return .json([
            "id": .string(id), "type": .string(factor.kind.rawValue),
            "expires_at": .int(Int(now()) + lifetime),
        ])
    }

    // MARK: - Codes by message

    /// Keyed by the challenge, so that equal codes look different.
    static func phoneDigest(_ code: String, challenge: String, factor: String) -> String {
        let key = SymmetricKey(data: Array((challenge + factor).utf8))
        return Hexadecimal.encode(HMAC<SHA256>.authenticationCode(for: Array(code.utf8), using: key))
    }

    static func randomDigits(_ count: Int) -> String {
        var random = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in Character(String(Int.random(in: 0...9, using: &random))) })
    }
}
