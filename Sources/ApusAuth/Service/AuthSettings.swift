/// How authentication behaves; each member is the setting of its name with `auth-` before it.
package struct AuthSettings: Sendable {
    /// `auth-external-url`: where clients reach authentication, `https://example.com/auth/v1`; the issuer of tokens.
    /// From the configuration alone, never from a request.
    package var externalURL = "http://127.0.0.1:3000/auth/v1"
    /// `auth-site-url`: where people are sent when nothing else is asked for or allowed.
    package var siteURL = "http://localhost:3000"
    /// `auth-uri-allow-list`
    package var allowedRedirects: [String] = []
    /// `auth-disable-signup`
    package var isSignUpDisabled = false
    /// `auth-mailer-autoconfirm`
    package var autoconfirmsEmail = false
    /// `auth-sms-autoconfirm`
    package var autoconfirmsPhone = false
    /// `auth-external-email-enabled`
    package var allowsEmail = true
    /// `auth-external-phone-enabled`
    package var allowsPhone = false
    /// `auth-external-anonymous-users-enabled`
    package var allowsAnonymous = false
    /// `auth-jwt-exp`: seconds.
    package var tokenLifetime = 3600
    /// `auth-password-min-length`
    package var passwordMinimum = 8
    /// `auth-jwt-admin-roles`
    package var adminRoles: Set<String> = ["service_role", "supabase_admin"]

    /// Second factors and passkeys.
    package var factors = FactorSettings()

    package init() {}

    /// `iss` of tokens.
    package var issuer: String { externalURL }
}
