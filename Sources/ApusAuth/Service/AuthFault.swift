package import ApusJSON

/// An error of authentication, in the words that GoTrue's clients know.
///
/// The edge words it in one of two shapes, by the API version that the client named.
package struct AuthFault: Error, Sendable, Equatable {
    /// HTTP status.
    package var status: Int
    /// GoTrue's `error_code`.
    package var code: String
    /// One sentence for a person; clients show it.
    package var message: String
    /// Further members of the body, such as `weak_password`.
    package var more: JSONObject
    /// Whether the body is OAuth's `error`, `error_description` (RFC 6749, 5.2), with ``code`` as `error`.
    package var isOAuth: Bool
    /// Seconds after which repeating it may help; `Retry-After`.
    package var retryAfter: Int?

    package init(
        _ status: Int, _ code: String, _ message: String, more: JSONObject = [:], isOAuth: Bool = false,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.more = more
        self.isOAuth = isOAuth
        self.retryAfter = retryAfter
    }
}

extension AuthFault {
    /// The request does not say what it must.
    package static func invalid(_ message: String) -> AuthFault {
        AuthFault(400, "validation_failed", message)
    }
    package static let invalidCredentials = AuthFault(400, "invalid_credentials", "Invalid login credentials")
    package static let tokenExpired = AuthFault(403, "otp_expired", "Email link is invalid or has expired")
    package static let userNotFound = AuthFault(404, "user_not_found", "User not found")
    package static let userBanned = AuthFault(400, "user_banned", "User is banned")
    package static let noAuthorization = AuthFault(
        401, "no_authorization", "This endpoint requires a valid Bearer token")
    package static let notAdmin = AuthFault(403, "not_admin", "User not allowed")
    package static let sessionNotFound = AuthFault(
        403, "session_not_found", "Session from session_id claim in JWT does not exist")
    package static let unexpected = AuthFault(500, "unexpected_failure", "Internal Server Error")
    package static let emailExists = AuthFault(
        422, "email_exists", "A user with this email address has already been registered")
    package static let phoneExists = AuthFault(
        422, "phone_exists", "A user with this phone number has already been registered")

    /// Too often; worth repeating after some seconds.
    package static func tooOften(
        _ code: String = "over_request_rate_limit", _ message: String = "Request rate limit reached",
        retryAfter: Int? = nil
    ) -> AuthFault {
        AuthFault(429, code, message, retryAfter: retryAfter)
    }
}
