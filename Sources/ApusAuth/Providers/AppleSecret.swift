import ApusJSON
import ApusTokens
import Crypto

/// What Apple wants as a client's secret: a token that the team's key signs, for at most six months ("Creating a client
/// secret", Sign in with Apple). Made for every use, so that none expires in somebody's configuration.
enum AppleSecret {
    /// Seconds that one holds.
    private static let lifetime = 300

    /// - Returns: the secret itself where the operator gave one that is no key; nil for a key that is unusable.
    static func make(_ settings: ProviderSettings, now: Int) -> String? {
        guard let secret = settings.secret, secret.contains("PRIVATE KEY") else { return settings.secret }
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: secret), let team = settings.teamID,
            let keyID = settings.keyID, let client = settings.clientIDs.first
        else { return nil }
        let header: JSONObject = ["alg": "ES256", "kid": .string(keyID), "typ": "JWT"]
        let claims: JSONObject = [
            "iss": .string(team), "iat": .int(now), "exp": .int(now + lifetime),
            "aud": "https://appleid.apple.com", "sub": .string(client),
        ]
        let signed =
            Base64URL.encode(JSONValue.object(header).bytes) + "."
            + Base64URL.encode(JSONValue.object(claims).bytes)
        guard let signature = try? key.signature(for: Array(signed.utf8)) else { return nil }
        return signed + "." + Base64URL.encode(Array(signature.rawRepresentation))
    }
}
