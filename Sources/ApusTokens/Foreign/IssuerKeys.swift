package import ApusJSON

/// The public keys of another issuer (RFC 7517 §5), for the tokens that it signs.
///
/// Shared secrets in the set are left out, and so is every key that is not usable: an issuer may publish keys of kinds
/// that are unknown here beside those it signs with.
package struct IssuerKeys: Sendable {
    /// Longer tokens are refused before anything is parsed.
    private static let longestToken = 16_384
    private static let mostKeys = 64

    private let keys: [VerificationKey]

    /// - Returns: nil for a document without a usable key.
    package init?(_ document: JSONObject) {
        keys = (document["keys"]?.array ?? []).prefix(Self.mostKeys).compactMap { element in
            guard let jwk = element.object, let key = try? JSONWebKey.read(jwk) else { return nil }
            if case .symmetric = key.material { return nil }
            return key
        }
        if keys.isEmpty { return nil }
    }

    /// The claims of a token that one of the keys signed. Nothing in them is checked yet.
    ///
    /// - Throws: `.noSuitableKey` when the issuer has a key that is not in this set, perhaps a new one; else what is
    ///   wrong with the token.
    package func claims(of token: String) throws(TokenFault) -> JSONObject {
        guard token.utf8.count <= Self.longestToken else { throw .tooLarge(limit: Self.longestToken) }
        let compact = try Self.compact(token)
        var fits = false
        for key in keys where key.fits(compact) {
            guard key.verifies(compact) else {
                fits = true
                continue
            }
            guard let claims = try? JSONReader.read(compact.payload).object else { throw .claimsUnreadable }
            return claims
        }
        throw fits ? .signatureInvalid : .noSuitableKey
    }

    private static func compact(_ token: String) throws(TokenFault) -> CompactToken {
        let bytes = Array(token.utf8)
        let result: Result<CompactToken, TokenFault> = bytes.withUnsafeBytes { buffer in
            do throws(TokenFault) {
                return .success(try CompactToken(buffer))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension IssuerKeys {
    /// The claims of a token, believed by nobody: to learn which issuer it speaks of before that one's keys are asked.
    package static func unverifiedClaims(of token: String) -> JSONObject? {
        guard token.utf8.count <= longestToken, let compact = try? compact(token) else { return nil }
        return try? JSONReader.read(compact.payload).object
    }
}
