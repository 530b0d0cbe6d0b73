/// How second factors and passkeys behave; each member is the setting of its name with `auth-` before it.
package struct FactorSettings: Sendable {
    /// `auth-mfa-totp-enroll-enabled`, `auth-mfa-totp-verify-enabled`
    package var enrolsTOTP = true
    package var verifiesTOTP = true
    /// `auth-mfa-phone-enroll-enabled`, `auth-mfa-phone-verify-enabled`
    package var enrolsPhone = false
    package var verifiesPhone = false
    /// `auth-mfa-web-authn-enroll-enabled`, `auth-mfa-web-authn-verify-enabled`
    package var enrolsWebAuthn = false
    package var verifiesWebAuthn = false
    /// `auth-mfa-max-enrolled-factors`
    package var maximum = 10
    /// `auth-mfa-challenge-expiry-duration`: seconds.
    package var challengeLifetime = 300
    /// Seconds after which a factor that was never verified is forgotten.
    package var unverifiedLifetime = 86_400
    /// `auth-mfa-issuer`: what authenticator apps show; empty: the host of the site's URL.
    package var issuer = ""
    /// `auth-passkey-enabled`
    package var allowsPasskeys = false
    /// `auth-passkey-max-passkeys-per-user`
    package var maximumPasskeys = 10
    /// `auth-webauthn-rp-id`, `auth-webauthn-rp-display-name`, `auth-webauthn-rp-origins`; nil: of the site's URL.
    package var relyingParty: RelyingParty?

    package init() {}
}
