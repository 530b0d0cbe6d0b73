import ApusJSON
import Crypto

/// The keys of `jwt-secret`.
struct VerificationKeySet: Sendable {
    let keys: [VerificationKey]

    /// nil when no secret is set.
    ///
    /// A secret that is a JSON object must be a key or a key set. PostgREST would take a broken one as the text of
    /// an HMAC secret; a public key with a typing error would then be a secret that everybody knows.
    init?(_ settings: TokenSettings) throws(TokenSettingsFault) {
        guard var secret = settings.secret else { return nil }
        if settings.secretIsBase64 {
            guard let decoded = Base64URL.decodeLeniently(secret) else {
                throw TokenSettingsFault("jwt-secret", "jwt-secret-is-base64 is on, and it is not base64")
            }
            secret = decoded
        }
        if let object = try? JSONReader.read(secret).object {
            keys = try Self.read(object)
        } else if secret.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") {
            throw TokenSettingsFault("jwt-secret", "it begins like a JSON Web Key, and it is not valid JSON")
        } else {
            keys = [
                VerificationKey(material: .symmetric(try Self.symmetric(secret)), id: nil, algorithm: .hs256)
            ]
        }
    }

    /// Checks the signature with every key that fits, as PostgREST does. Throws `.noSuitableKey` or
    /// `.signatureInvalid`.
    func verify(_ token: CompactToken) throws(TokenFault) {
        var anyFits = false
        for key in keys where key.fits(token) {
            if key.verifies(token) { return }
            anyFits = true
        }
        throw anyFits ? .signatureInvalid : .noSuitableKey
    }

    /// RFC 7518, 3.2: a secret shorter than the hash (32 bytes for HS256) can be guessed offline from one token.
    static func symmetric(_ secret: [UInt8]) throws(TokenSettingsFault) -> SymmetricKey {
        guard secret.count >= 32 else {
            throw TokenSettingsFault("jwt-secret", "The JWT secret must be at least 32 characters long.")
        }
        guard !PublishedSecrets.contains(secret) else {
            throw TokenSettingsFault(
                "jwt-secret", "everybody can know this secret; openssl rand -base64 32 makes one")
        }
        return SymmetricKey(data: secret)
    }

    private static func read(_ object: JSONObject) throws(TokenSettingsFault) -> [VerificationKey] {
        var keys: [VerificationKey] = []
        if case .array(let elements) = object["keys"] {
            for element in elements {
                guard let jwk = element.object else {
                    throw TokenSettingsFault(
                        "jwt-secret", "'keys' holds something that is not a JSON Web Key")
                }
                if let key = try JSONWebKey.read(jwk) { keys.append(key) }
            }
        } else if let key = try JSONWebKey.read(object) {
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw TokenSettingsFault("jwt-secret", "it holds no key that can check signatures")
        }
        return keys
    }
}
