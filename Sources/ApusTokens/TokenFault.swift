package import ApusFaults

/// Why a bearer token, or its absence, gives no principal.
///
/// Codes and texts are those of PostgREST (its reference, "Errors", group 3: `PGRST300` to `PGRST303`), so that
/// clients which look at them keep working. No case carries any part of the token or of the secret.
package enum TokenFault: Error, Sendable, Equatable {
    // MARK: PGRST300

    /// A token came, but the server has no key to check it with.
    case secretMissing

    // MARK: PGRST301, the token itself

    /// The scheme was `Bearer`, and nothing followed.
    case empty
    /// Longer than `TokenSettings.maximumTokenBytes`; refused before anything is parsed.
    case tooLarge(limit: Int)
    /// A compact JWS has three parts (RFC 7515, 7.1); this one has another number.
    case unexpectedParts(Int)
    /// A part is not base64url, the header is not the JSON that it must be, names an unknown algorithm, or asks
    /// with `crit` for extensions that nobody here understands (RFC 7515, 4.1.11).
    case malformed
    /// `alg` is `none`.
    case unsecured
    /// No key fits the token's `kid` and `alg`.
    case noSuitableKey
    /// Keys fit, but the signature holds with none of them.
    case signatureInvalid
    /// An API key that nobody made, that was revoked or whose time is over.
    case apiKeyUnknown
    /// A secret API key came from a browser, where everybody can read it.
    case secretInBrowser

    // MARK: PGRST302

    /// No token, and no anonymous role to fall back to.
    case tokenRequired

    // MARK: PGRST303, its claims

    /// The payload is not one JSON object with unique names.
    case claimsUnreadable
    case expired
    case notYetValid
    case issuedInFuture
    case notInAudience
    case expirationNotNumber
    case notBeforeNotNumber
    case issuedAtNotNumber
    case audienceNotText
    /// The role claim holds nothing that may be a role: empty, `none` (which in SQL means the connection's own
    /// role), with a NUL in it, or an object or array.
    case roleUnusable
    /// Somebody signed out, was removed or was locked out before the token's time was over.
    case sessionEnded
}

extension TokenFault {
    /// The fault as a client sees it, with `WWW-Authenticate` (RFC 6750, 3) among its fields.
    package var fault: Fault {
        Fault(
            code: code, kind: self == .secretMissing ? .internal : .unauthenticated, message: message,
            details: details,
            fields: challenge.map { [HeaderField(name: "WWW-Authenticate", value: $0)] } ?? [])
    }

    /// `PGRST300` to `PGRST303`.
    package var code: String {
        switch self {
        case .secretMissing: "PGRST300"
        case .empty, .tooLarge, .unexpectedParts, .malformed, .unsecured, .noSuitableKey, .signatureInvalid,
            .apiKeyUnknown, .secretInBrowser:
            "PGRST301"
        case .tokenRequired: "PGRST302"
        case .claimsUnreadable, .sessionEnded, .expired, .notYetValid, .issuedInFuture, .notInAudience,
            .expirationNotNumber,
            .notBeforeNotNumber, .issuedAtNotNumber, .audienceNotText, .roleUnusable:
            "PGRST303"
        }
    }

    private var message: String {
        switch self {
        case .secretMissing: "Server lacks JWT secret"
        case .empty: "Empty JWT is sent in Authorization header"
        case .tooLarge: "JWT is too large"
        case .unexpectedParts(let count): "Expected 3 parts in JWT; got \(count)"
        case .malformed: "JWT cryptographic operation failed"
        case .unsecured: "Wrong or unsupported encoding algorithm"
        case .noSuitableKey, .signatureInvalid: "No suitable key or wrong key type"
        case .apiKeyUnknown: "The API key is unknown, was revoked or has expired"
        case .secretInBrowser: "A secret API key must not be used in a browser"
        case .tokenRequired: "Anonymous access is disabled"
        case .claimsUnreadable: "Parsing claims failed"
        case .expired: "JWT expired"
        case .notYetValid: "JWT not yet valid"
        case .issuedInFuture: "JWT issued at future"
        case .notInAudience: "JWT not in audience"
        case .expirationNotNumber: "The JWT 'exp' claim must be a number"
        case .notBeforeNotNumber: "The JWT 'nbf' claim must be a number"
        case .issuedAtNotNumber: "The JWT 'iat' claim must be a number"
        case .audienceNotText: "The JWT 'aud' claim must be a string or an array of strings"
        case .roleUnusable: "The JWT role claim does not name a role"
        case .sessionEnded: "The session of the JWT has ended"
        }
    }

    private var details: String? {
        switch self {
        case .tooLarge(let limit): "The limit is \(limit) bytes"
        case .unsecured: "JWT is unsecured but expected 'alg' was not 'none'"
        case .noSuitableKey: "No suitable key was found to decode the JWT"
        case .signatureInvalid: "None of the keys was able to decode the JWT"
        default: nil
        }
    }

    private var challenge: String? {
        switch self {
        case .secretMissing: nil
        case .tokenRequired: "Bearer"
        default: "Bearer error=\"invalid_token\", error_description=\"\(message)\""
        }
    }
}
