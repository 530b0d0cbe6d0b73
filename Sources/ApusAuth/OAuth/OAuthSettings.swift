/// How the identity provider behaves; each member is the setting of its name with `auth-oauth-server-` before it.
package struct OAuthSettings: Sendable {
    /// `enabled`
    package var isEnabled = false
    /// `authorization-path`: a page of the application, below the site's URL, that signs people in and asks for their
    /// consent; empty: pages of Apus's own.
    package var authorizationPath = ""
    /// `allow-dynamic-registration`: whether clients register themselves (RFC 7591).
    package var allowsDynamicRegistration = false
    /// The resource (RFC 8707) that is the data API: a token for it carries the user's role.
    package var dataResource = ""
    /// Seconds that a code is good for (ASVS 10.4.3: at most a minute).
    package var codeLifetime = 60
    /// Seconds within which somebody has to sign in and agree.
    package var interactionLifetime = 600
    /// Seconds within which a refresh token that was exchanged gives its successor again: the answer was lost.
    package var refreshGrace = 10

    package init() {}

    /// Scopes with a meaning (OpenID Connect Core §5.4, §11).
    package static let scopes = ["openid", "profile", "email", "phone", "address", "offline_access"]
}
