/// On whose behalf a statement runs: the role it takes and the claims it may read.
///
/// An object, so that the many requests of one token share it and a connection recognises it by identity.
package final class Principal: Sendable {
    /// The role that the transaction takes.
    package let role: String
    /// The verified claims as a JSON object, with `role` in it; what `request.jwt.claims` shows.
    package let claims: [UInt8]

    package init(role: String, claims: [UInt8]) {
        self.role = role
        self.claims = claims
    }
}
