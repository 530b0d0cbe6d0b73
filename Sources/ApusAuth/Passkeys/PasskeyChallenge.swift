import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

/// A passkey ceremony that has begun: 32 random bytes that are good once.
struct PasskeyChallenge: Sendable {
    enum Kind: String, Sendable {
        case registration
        case authentication
    }

    let id: String
    let bytes: [UInt8]

    static func random() -> PasskeyChallenge {
        PasskeyChallenge(id: UUIDText.random(), bytes: RandomBytes.make(32))
    }

    /// Keeps it, and forgets some that nobody came back for.
    ///
    /// - Parameters:
    ///   - user: nil when nobody is known yet.
    ///   - lifetime: seconds.
    func store(_ kind: Kind, user: String?, lifetime: Int) -> [SQL] {
        let data = String(
            decoding: JSONValue.object(["challenge": .string(Base64URL.encode(bytes))]).bytes, as: UTF8.self)
        return [
            """
            delete from auth.webauthn_challenges where id in (
                select id from auth.webauthn_challenges where expires_at < now() limit 20 for update skip locked)
            """,
            """
            insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, expires_at)
            values (\(bind: id)::uuid, \(bind: SQLValue(user))::uuid, \(bind: kind.rawValue), \(bind: data)::jsonb,
                now() + make_interval(secs => \(bind: lifetime)::int))
            """,
        ]
    }

    /// Takes the challenge that a call names away, by one statement, so that of several uses at once one wins.
    ///
    /// - Throws: when there is none, or it came too late.
    static func consume(
        _ call: AuthCall, _ kind: Kind, user: String?, _ database: AuthDatabase
    ) async throws -> PasskeyChallenge {
        guard let given = try call.text("challenge_id") else {
            throw AuthFault.invalid("challenge_id is required")
        }
        guard let id = UUIDText.read(given) else {
            throw AuthFault.invalid("challenge_id must be a valid UUID")
        }
        let rows = try await database.query(
            """
            delete from auth.webauthn_challenges
            where id = \(bind: id)::uuid and challenge_type = \(bind: kind.rawValue)
                and user_id is not distinct from \(bind: SQLValue(user))::uuid
            returning session_data ->> 'challenge', expires_at < now()
            """)
        guard let bytes = rows.string(0, 0).flatMap({ Base64URL.decode($0.utf8) }) else {
            throw AuthFault(400, "webauthn_challenge_not_found", "Challenge not found or already used")
        }
        guard rows.bool(0, 1) == false else {
            throw AuthFault(400, "webauthn_challenge_expired", "Challenge has expired")
        }
        return PasskeyChallenge(id: id, bytes: bytes)
    }

    /// What both `options` endpoints answer.
    func answer(_ options: JSONObject, expiresAt: Int) -> AuthAnswer {
        .json(["challenge_id": .string(id), "options": .object(options), "expires_at": .int(expiresAt)])
    }
}

extension AuthFault {
    static let passkeysDisabled = AuthFault(404, "passkey_disabled", "Passkeys are disabled")
    static let passkeyRefused = AuthFault(
        400, "webauthn_verification_failed", "Credential verification failed")
    static let passkeyNotFound = AuthFault(404, "webauthn_credential_not_found", "Passkey not found")
    static let credentialRequired = AuthFault.invalid("credential is required")
}
