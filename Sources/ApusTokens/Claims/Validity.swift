/// The time in which a token holds, seconds since 1970; clocks may differ by ``skew``.
struct Validity: Sendable, Equatable {
    /// What PostgREST allows between its clock and the issuer's, seconds.
    static let skew: Int64 = 30

    /// `exp`; nil: without end.
    var expires: Int64?
    /// `nbf`
    var notBefore: Int64?
    /// `iat`
    var issuedAt: Int64?

    /// Throws `.expired`, `.notYetValid` or `.issuedInFuture`. Only `now` is calculated with, so that no claim can
    /// overflow.
    func check(at now: Int64) throws(TokenFault) {
        if let expires, expires < now - Self.skew { throw .expired }
        if let notBefore, notBefore > now + Self.skew { throw .notYetValid }
        if let issuedAt, issuedAt > now + Self.skew { throw .issuedInFuture }
    }
}
