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

    /// Openings that were made for it, each with the object that it was made by.
    private let openings = Locked<[(maker: any AnyObject & Sendable, opening: Opening)]>([])
    /// One for each schema and access mode that a user's requests name; the oldest gives way.
    private static let openingLimit = 8

    /// The opening that `maker` made for this principal; made now when it is the first time.
    ///
    /// - Parameter maker: the opening must depend on it and on this principal alone. It is kept, so that no other object
    ///   can take its identity.
    package func opening(by maker: any AnyObject & Sendable, make: () -> Opening) -> Opening {
        let known = openings.withLock { openings in openings.first { $0.maker === maker }?.opening }
        if let known { return known }
        let made = make()
        openings.withLock { openings in
            if openings.count >= Self.openingLimit { openings.removeFirst() }
            openings.append((maker, made))
        }
        return made
    }
}
