import ApusJSON
import Crypto

/// Makes HS256 tokens with the server's own secret: for `apus token`, seeds and tests.
package struct TokenMinter: Sendable {
    private let key: SymmetricKey
    private let keyID: String?
    private let audience: String?
    private let now: TokenVerifier.Clock

    /// Throws when `jwt-secret` is missing or holds no secret that may sign with HS256: with public keys only, tokens
    /// come from whoever has the private ones.
    package init(
        settings: TokenSettings, clock: @escaping TokenVerifier.Clock = TokenVerifier.systemClock
    ) throws(TokenSettingsFault) {
        for key in try VerificationKeySet(settings)?.keys ?? [] {
            if case .symmetric(let secret) = key.material, key.algorithm == nil || key.algorithm == .hs256 {
                self.key = secret
                keyID = key.id
                audience = settings.audience
                now = clock
                return
            }
        }
        throw TokenSettingsFault("jwt-secret", "it holds no secret to sign with; tokens are made with HS256")
    }

    /// A token for `role`.
    ///
    /// - Parameters:
    ///   - subject: `sub`, what `auth.uid()` shows.
    ///   - claims: A JSON object with further claims; it may not repeat one that is set here.
    ///   - lifetime: Seconds from now to `exp`; nil: it never ends.
    package func mint(
        role: String, subject: String? = nil, claims: [UInt8]? = nil, lifetime: Int64? = 3600
    ) throws(TokenMintingFault) -> String {
        let issued = now()
        var members = "\"iat\":\(issued)"
        var names: Set<String> = ["iat", "role"]
        if let lifetime {
            let (expires, overflow) = issued.addingReportingOverflow(lifetime)
            guard !overflow else { throw .lifetimeTooLong }
            members += ",\"exp\":\(expires)"
            names.insert("exp")
        }
        var payload = Array("{\(members)".utf8)
        for (name, value) in [("role", role), ("sub", subject), ("aud", audience)] {
            guard let value else { continue }
            names.insert(name)
            payload.append(contentsOf: ",\"\(name)\":".utf8)
            appendJSONString(value, to: &payload)
        }
        try append(claims, to: &payload, besides: names)
        payload.append(UInt8(ascii: "}"))
        return sign(payload)
    }

    // MARK: - Non public

    private func append(
        _ claims: [UInt8]?, to payload: inout [UInt8], besides names: Set<String>
    ) throws(TokenMintingFault) {
        guard let claims else { return }
        guard let object = try? JSONReader.read(claims).object else { throw .claimsNotAnObject }
        for member in object.members {
            guard !names.contains(member.name) else { throw .claimRepeated(member.name) }
            payload.append(UInt8(ascii: ","))
            appendJSONString(member.name, to: &payload)
            payload.append(UInt8(ascii: ":"))
            payload.append(contentsOf: claims[member.range])
        }
    }

    private func sign(_ payload: [UInt8]) -> String {
        var header = Array("{\"alg\":\"HS256\",\"typ\":\"JWT\"".utf8)
        if let keyID {
            header.append(contentsOf: ",\"kid\":".utf8)
            appendJSONString(keyID, to: &header)
        }
        header.append(UInt8(ascii: "}"))
        let signed = Base64URL.encode(header) + "." + Base64URL.encode(payload)
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: key)
        return signed + "." + Base64URL.encode(Array(code))
    }
}

/// Why a token cannot be made as asked.
package enum TokenMintingFault: Error, Sendable, Equatable {
    /// The further claims are not one JSON object with unique names.
    case claimsNotAnObject
    /// The further claims name one that is set already.
    case claimRepeated(String)
    /// The end of the token is beyond what a number of seconds can say.
    case lifetimeTooLong
}
