package import ApusJSON

/// Somebody signed in: the token held, the session is there, the user may act. Only ``AuthService`` makes one, so a
/// handler that takes it cannot be reached without.
package struct Caller: Sendable {
    package let user: AuthUser
    package let session: AuthSession
    /// The token's claims.
    package let claims: JSONObject

    init(user: AuthUser, session: AuthSession, claims: JSONObject) {
        self.user = user
        self.session = session
        self.claims = claims
    }
}

/// Somebody with a service key. Only ``AuthService`` makes one.
package struct Administrator: Sendable {
    package let role: String
    /// `sub` of the key's token, where it has one.
    package let subject: String?

    init(role: String, subject: String?) {
        self.role = role
        self.subject = subject
    }
}
