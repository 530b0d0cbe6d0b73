import ApusJSON
import ApusTokens
import Crypto

/// What an id_token must be (OpenID Connect Core 1.0 §3.1.3.7) beside signed.
struct IDTokenCheck: Sendable {
    /// What its nonce must be.
    enum Nonce: Sendable {
        /// This very one: a flow of our own.
        case exactly(String)
        /// The hexadecimal SHA-256 of this, as apps send it; both there or both missing.
        case digestOf(String?)
        /// Not looked at.
        case any
    }

    let provider: Provider
    /// `issuer` of the provider's document.
    let issuer: String
    let nonce: Nonce
    /// Access token that came with it; checked against `at_hash` where there is one.
    var accessToken: String?
    /// Seconds since 1970.
    let now: Int

    /// Clocks differ.
    private static let skew = 60
    /// A token that was issued longer ago is not a sign-in of now, whatever its `exp`.
    private static let oldest = 86_400

    /// - Throws: in the words that GoTrue's clients know.
    func check(_ claims: JSONObject) throws(AuthFault) {
        guard let issuer = claims["iss"]?.text,
            provider.isIssuer(issuer, claims: claims, documented: self.issuer)
        else {
            throw Self.bad("Unacceptable issuer in id_token")
        }
        try checkAudience(claims)
        try checkTimes(claims)
        try checkNonce(claims)
        guard let subject = claims["sub"]?.text, (1...255).contains(subject.utf8.count),
            subject.utf8.allSatisfy({ $0 >= 0x20 })
        else { throw Self.bad("Missing sub claim in id_token") }
        if let accessToken, let expected = claims["at_hash"]?.text {
            let half = SHA256.hash(data: Array(accessToken.utf8)).prefix(16)
            // Only tokens signed with a 256-bit hash say so with it; for others the claim has another length.
            let isOfThisHash = expected.utf8.count == 22
            guard
                !isOfThisHash
                    || ConstantTime.equal(Array(Base64URL.encode(Array(half)).utf8), Array(expected.utf8))
            else { throw Self.bad("at_hash in id_token does not match the access token") }
        }
    }

    /// An app that is configured without a client accepts no token: otherwise anybody's app could sign in here.
    private func checkAudience(_ claims: JSONObject) throws(AuthFault) {
        let audiences: [String] =
            claims["aud"]?.text.map { [$0] } ?? claims["aud"]?.array?.compactMap(\.text) ?? []
        let ours = provider.settings.clientIDs
        guard audiences.contains(where: ours.contains) else {
            throw Self.bad("Unacceptable audience in id_token")
        }
        // Google names the web client here for a token of the app's, and both are the operator's.
        if audiences.count > 1 || claims["azp"] != nil, let party = claims["azp"]?.text,
            provider.kind != .google, !ours.contains(party)
        {
            throw Self.bad("Unacceptable authorized party in id_token")
        }
    }

    private func checkTimes(_ claims: JSONObject) throws(AuthFault) {
        guard let expires = Self.time(claims["exp"]), expires + Self.skew > now else {
            throw Self.bad("Bad ID token: expired")
        }
        guard let issued = Self.time(claims["iat"]), issued <= now + Self.skew, issued > now - Self.oldest
        else {
            throw Self.bad("Bad ID token: issued at another time")
        }
        if let from = claims["nbf"] {
            guard let from = Self.time(from), from <= now + Self.skew else {
                throw Self.bad("Bad ID token: not yet valid")
            }
        }
    }

    private func checkNonce(_ claims: JSONObject) throws(AuthFault) {
        let given = claims["nonce"]?.text
        switch nonce {
        case .any: return
        case .exactly(let nonce):
            guard let given, ConstantTime.equal(Array(given.utf8), Array(nonce.utf8)) else {
                throw Self.bad("Nonces mismatch")
            }
        case .digestOf(let nonce):
            guard (given == nil) == (nonce == nil) else {
                throw Self.bad("Passed nonce and nonce in id_token should either both exist or not.")
            }
            guard let given, let nonce else { return }
            let digest = Hexadecimal.encode(SHA256.hash(data: Array(nonce.utf8)))
            guard ConstantTime.equal(Array(given.utf8), Array(digest.utf8)) else {
                throw Self.bad("Nonces mismatch")
            }
        }
    }

    /// NumericDate (RFC 7519 §2); fractions are cut off.
    private static func time(_ value: JSONValue?) -> Int? {
        guard case .number(let text) = value else { return nil }
        return Int(text) ?? Double(text).flatMap { $0.magnitude < 1e12 ? Int($0) : nil }
    }

    static func bad(_ message: String) -> AuthFault {
        AuthFault(400, "invalid_request", message, isOAuth: true)
    }
}
