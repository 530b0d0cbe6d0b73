import ApusJSON
import ApusTokens

/// What a page gives to `navigator.credentials`, as JSON (WebAuthn §5.1.9).
enum PasskeyOptions {
    /// `PublicKeyCredentialCreationOptionsJSON`
    ///
    /// - Parameters:
    ///   - excluded: credentials that the user has already.
    ///   - isDiscoverable: whether it shall be found without a name: a passkey.
    ///   - timeout: seconds.
    static func creation(
        _ challenge: [UInt8], relyingParty: RelyingParty, user: AuthUser, excluded: [[UInt8]],
        isDiscoverable: Bool,
        timeout: Int
    ) -> JSONObject {
        let name = user.email ?? user.phone ?? user.id
        let shown = user.userMetadata["name"]?.text ?? user.userMetadata["full_name"]?.text ?? name
        return [
            "rp": ["id": .string(relyingParty.id), "name": .string(relyingParty.name)],
            "user": [
                "id": .string(Base64URL.encode(Array(user.id.utf8))), "name": .string(name),
                "displayName": .string(shown),
            ],
            "challenge": .string(Base64URL.encode(challenge)),
            "pubKeyCredParams": .array(
                CredentialKey.algorithms.map { ["type": "public-key", "alg": .int(Int($0))] }),
            "timeout": .int(timeout * 1000), "excludeCredentials": .array(excluded.map { descriptor($0) }),
            "authenticatorSelection": [
                "residentKey": isDiscoverable ? "required" : "discouraged",
                "requireResidentKey": .bool(isDiscoverable),
                "userVerification": isDiscoverable ? "required" : "preferred",
            ],
            "attestation": "none",
        ]
    }

    /// `PublicKeyCredentialRequestOptionsJSON`
    ///
    /// - Parameters:
    ///   - allowed: empty: whatever passkey the authenticator has.
    ///   - timeout: seconds.
    static func request(
        _ challenge: [UInt8], relyingParty: RelyingParty, allowed: [[UInt8]], verification: String,
        timeout: Int
    ) -> JSONObject {
        [
            "challenge": .string(Base64URL.encode(challenge)), "timeout": .int(timeout * 1000),
            "rpId": .string(relyingParty.id), "allowCredentials": .array(allowed.map { descriptor($0) }),
            "userVerification": .string(verification),
        ]
    }

    private static func descriptor(_ id: [UInt8]) -> JSONValue {
        ["type": "public-key", "id": .string(Base64URL.encode(id))]
    }
}

extension AuthService {
    /// Who credentials are for: as configured, else the site's URL.
    var relyingParty: RelyingParty {
        if let configured = settings.factors.relyingParty { return configured }
        let host = WebAddress.host(of: settings.siteURL)
        return RelyingParty(id: host, name: host, origins: [WebAddress.origin(of: settings.siteURL)])
    }
}
