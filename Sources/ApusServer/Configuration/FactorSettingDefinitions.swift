import ApusAuth

extension SettingDefinition {
    /// Settings of second factors and passkeys: GoTrue's names with `auth-` before them.
    static let factors: [SettingDefinition] = [
        .init(
            "auth-mfa-totp-enroll-enabled", .boolean, "true", "Whether users may add an authenticator app."),
        .init("auth-mfa-totp-verify-enabled", .boolean, "true", "Whether codes of authenticator apps hold."),
        .init(
            "auth-mfa-phone-enroll-enabled", .boolean, "false", "Whether users may add a number as a factor."),
        .init("auth-mfa-phone-verify-enabled", .boolean, "false", "Whether codes sent to numbers hold."),
        .init(
            "auth-mfa-web-authn-enroll-enabled", .boolean, "false",
            "Whether users may add a security key as a factor."),
        .init(
            "auth-mfa-web-authn-verify-enabled", .boolean, "false", "Whether security keys hold as factors."),
        .init("auth-mfa-max-enrolled-factors", .integer(1...100), "10", "Factors that a user may have."),
        .init(
            "auth-mfa-challenge-expiry-duration", .integer(30...3600), "300",
            "Seconds within which a challenge of a factor or a passkey is to be answered."),
        .init(
            "auth-mfa-issuer", .string, nil,
            "What authenticator apps show above the code; default: the host of auth-site-url."),
        .init("auth-passkey-enabled", .boolean, "false", "Whether people sign in with passkeys."),
        .init(
            "auth-passkey-max-passkeys-per-user", .integer(1...100), "10", "Passkeys that a user may have."),
        .init(
            "auth-webauthn-rp-id", .string, nil,
            "Domain that passkeys and security keys are for; default: the host of auth-site-url."),
        .init(
            "auth-webauthn-rp-display-name", .string, nil,
            "Name that authenticators show; default: auth-webauthn-rp-id."),
        .init(
            "auth-webauthn-rp-origins", .list, nil,
            "Origins of pages and apps that may use passkeys; default: the origin of auth-site-url."),
    ]
}

extension Settings {
    /// Second factors and passkeys.
    var factors: FactorSettings {
        var factors = FactorSettings()
        factors.enrolsTOTP = boolean("auth-mfa-totp-enroll-enabled")
        factors.verifiesTOTP = boolean("auth-mfa-totp-verify-enabled")
        factors.enrolsPhone = boolean("auth-mfa-phone-enroll-enabled")
        factors.verifiesPhone = boolean("auth-mfa-phone-verify-enabled")
        factors.enrolsWebAuthn = boolean("auth-mfa-web-authn-enroll-enabled")
        factors.verifiesWebAuthn = boolean("auth-mfa-web-authn-verify-enabled")
        factors.maximum = integer("auth-mfa-max-enrolled-factors") ?? factors.maximum
        factors.challengeLifetime = integer("auth-mfa-challenge-expiry-duration") ?? factors.challengeLifetime
        factors.issuer = string("auth-mfa-issuer") ?? ""
        factors.allowsPasskeys = boolean("auth-passkey-enabled")
        factors.maximumPasskeys = integer("auth-passkey-max-passkeys-per-user") ?? factors.maximumPasskeys
        let site = string("auth-site-url") ?? ""
        let id = string("auth-webauthn-rp-id") ?? WebAddress.host(of: site)
        let origins = list("auth-webauthn-rp-origins")
        factors.relyingParty = RelyingParty(
            id: id, name: string("auth-webauthn-rp-display-name") ?? id,
            origins: origins.isEmpty ? [WebAddress.origin(of: site)] : origins)
        return factors
    }
}
