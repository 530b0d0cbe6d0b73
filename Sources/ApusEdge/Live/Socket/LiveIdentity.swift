import ApusJSON
import ApusPostgres

/// Whom a follow is answered for.
struct LiveIdentity: Sendable {
    let principal: Principal
    let isAnonymous: Bool
    /// nil: none, which never ends.
    let token: String?

    var role: String { principal.role }

    /// Seconds since 1970; nil for what does not expire.
    var expires: Int64? {
        guard token != nil, case .number(let text)? = (try? JSONReader.read(principal.claims))?.object?["exp"]
        else { return nil }
        return Int64(text) ?? Double(text).flatMap { Int64(exactly: $0.rounded(.down)) }
    }
}
