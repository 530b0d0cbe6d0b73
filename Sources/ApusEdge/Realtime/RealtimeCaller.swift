import ApusFaults
import ApusJSON
import ApusPostgres
import ApusRealtime
import ApusTokens

/// Who stands behind a token, and until when.
struct RealtimeCaller: Sendable {
    let principal: Principal
    /// Seconds since 1970; nil for a token that does not expire.
    let expiresAt: Int64?
    /// The session that the token belongs to, or the API key that it is, in lower case.
    let session: String?

    /// - Throws: ``ChannelFault`` with the code that clients know.
    init(token: String, verifier: TokenVerifier) throws(ChannelFault) {
        do {
            principal = try verifier.principal(forBearer: token[...])
        } catch {
            throw Self.fault(error)
        }
        let claims = (try? JSONReader.read(principal.claims))?.object
        if case .number(let text)? = claims?["exp"] {
            expiresAt = Int64(text) ?? Double(text).flatMap { Int64(exactly: $0.rounded(.down)) }
        } else {
            expiresAt = nil
        }
        session = (claims?["session_id"] ?? claims?["key_id"])?.text?.lowercased()
    }

    func hasExpired(at now: Int64) -> Bool { expiresAt.map { $0 <= now } ?? false }

    private static func fault(_ fault: TokenFault) -> ChannelFault {
        switch fault {
        case .signatureInvalid, .noSuitableKey, .unsecured, .apiKeyUnknown:
            ChannelFault(.signature, "the token's signature does not hold")
        case .empty, .malformed, .tooLarge, .unexpectedParts:
            ChannelFault(.malformedToken, "the token cannot be read")
        default: ChannelFault(.invalidToken, fault.fault.message)
        }
    }
}
