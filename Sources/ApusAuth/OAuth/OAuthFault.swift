/// An error in OAuth's words (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2, OpenID Connect Core §3.1.2.6).
package struct OAuthFault: Error, Sendable, Equatable {
    /// HTTP status, where it is answered directly.
    package var status: Int
    /// `error`
    package var error: String
    /// `error_description`: one sentence for the client's developer.
    package var description: String
    /// `WWW-Authenticate`, where the status needs one.
    package var challenge: String?

    package init(_ error: String, _ description: String, status: Int = 400, challenge: String? = nil) {
        self.status = status
        self.error = error
        self.description = description
        self.challenge = challenge
    }

    static func invalidRequest(_ description: String) -> OAuthFault {
        OAuthFault("invalid_request", description)
    }
    static func invalidGrant(_ description: String) -> OAuthFault { OAuthFault("invalid_grant", description) }

    /// 401, with the scheme that the client may use.
    static let invalidClient = OAuthFault(
        "invalid_client", "Client authentication failed.", status: 401,
        challenge: #"Basic realm="oauth", charset="UTF-8""#)

    static let invalidToken = OAuthFault(
        "invalid_token", "The access token is missing, malformed, expired or revoked.", status: 401,
        challenge: #"Bearer error="invalid_token", error_description="The access token does not hold.""#)

    /// Without any token, the challenge says no more than what to bring (RFC 6750 §3.1).
    static let tokenRequired = OAuthFault(
        "invalid_token", "An access token is required.", status: 401, challenge: "Bearer")

    static let insufficientScope = OAuthFault(
        "insufficient_scope", "The access token lacks the scope openid.", status: 403,
        challenge: #"Bearer error="insufficient_scope", scope="openid""#)

    static let disabled = OAuthFault("invalid_request", "The identity provider is switched off.", status: 404)
}
