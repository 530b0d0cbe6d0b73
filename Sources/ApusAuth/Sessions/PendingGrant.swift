package import ApusJSON

/// Somebody whose session is open, and whose tokens are still to be made: after the transaction, so that none is open while
/// a service is asked about the claims. Only ``AuthService/issue(_:)`` makes an answer of it.
package struct PendingGrant: Sendable {
    package let user: AuthUser
    package let session: AuthSession
    /// Of the access token.
    package let claims: JSONObject
    /// When the access token ends, by its claims: seconds since 1970.
    let expiresAt: Int
    /// Whether the session began with this: then it ends when its tokens are refused.
    package var isNew = false
    /// Further members of the answer: `provider_token`, `weak_password`…
    package var more: JSONObject = [:]

    init(user: AuthUser, session: AuthSession, claims: JSONObject, expiresAt: Int) {
        self.user = user
        self.session = session
        self.claims = claims
        self.expiresAt = expiresAt
    }
}
