/// How authentication behaves; each member is the setting of its name with `auth-` before it.
package struct AuthSettings: Sendable {
    // MARK: Addresses

    /// `auth-external-url`: where clients reach authentication, `https://example.com/auth/v1`; the issuer of tokens.
    /// From the configuration alone, never from a request.
    package var externalURL = "http://127.0.0.1:3000/auth/v1"
    /// `auth-site-url`: where people are sent when nothing else is asked for or allowed.
    package var siteURL = "http://localhost:3000"
    /// `auth-uri-allow-list`
    package var allowedRedirects: [String] = []

    // MARK: Who may come in

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
    /// Providers that are set up, for `/settings`.
    package var enabledProviders: Set<String> = []
    /// `auth-security-manual-linking-enabled`: whether people may link and unlink identities.
    package var allowsManualLinking = false
    /// `sms_provider` of `/settings`; empty: none.
    package var smsProvider = ""
    /// Whether passkeys may be used, for `/settings`.
    package var allowsPasskeys = false
    /// `auth-jwt-admin-roles`
    package var adminRoles: Set<String> = ["service_role", "supabase_admin"]

    /// Second factors and passkeys.
    package var factors = FactorSettings()
    /// The identity provider.
    package var oauth = OAuthSettings()

    // MARK: Tokens and sessions, seconds

    /// `auth-jwt-exp`
    package var tokenLifetime = 3600
    /// `auth-hook-custom-access-token-uri`: what may change the claims of access tokens.
    package var tokenHook: TokenHook?
    /// `auth-hook-…`: who else is asked.
    package var hooks = Hooks()
    /// `auth-refresh-token-reuse-interval`: how long a token that was exchanged still gives the newest one.
    package var reuseInterval = 10
    /// `auth-sessions-timebox`: the longest life of a session; 0: none.
    package var sessionTimebox = 0
    /// `auth-sessions-inactivity-timeout`: without a refresh for so long, a session is over; 0: never.
    package var sessionInactivity = 0
    /// `auth-sessions-single-per-user`
    package var allowsOneSession = false

    // MARK: Passwords

    package var passwords = PasswordPolicy()
    /// `auth-security-update-address-require-reauthentication`: the same for another number, or another address when the old one
    /// is not asked.
    package var addressNeedsReauthentication = true
    /// `auth-security-update-password-require-reauthentication`: for sessions that were opened more than a day ago.
    package var passwordNeedsReauthentication = true
    /// `auth-security-update-password-require-current-password`
    package var passwordNeedsCurrent = false

    // MARK: Links and codes

    /// `auth-mailer-otp-exp`: seconds that a code in a mail holds.
    package var mailCodeLifetime = 600
    /// `auth-mailer-link-exp`: seconds that a link in a mail holds.
    package var mailLinkLifetime = 86_400
    /// `auth-mailer-otp-length`
    package var mailCodeLength = 6
    /// `auth-sms-otp-exp`: seconds.
    package var textCodeLifetime = 300
    /// `auth-sms-otp-length`
    package var textCodeLength = 6
    /// `auth-mailer-secure-email-change-enabled`: whether both addresses must agree.
    package var confirmsBothAddresses = true

    // MARK: Limits; 0: none

    /// `auth-smtp-max-frequency`: seconds between two mails to one address.
    package var mailInterval = 60
    /// `auth-sms-max-frequency`: seconds between two text messages to one number.
    package var textInterval = 60
    /// `auth-rate-limit-email-sent`: mails an hour, to all.
    package var mailsPerHour = 0
    /// `auth-rate-limit-sms-sent`: text messages an hour, to all.
    package var textsPerHour = 0
    /// `auth-rate-limit-signup`, and so on: requests of one address in five minutes.
    package var signUpTries = 30
    package var tokenTries = 150
    package var verifyTries = 30
    package var otpTries = 30
    package var userTries = 30
    /// `auth-rate-limit-anonymous-users`: new anonymous users of one address an hour.
    package var anonymousTries = 30

    package init() {}

    /// `iss` of tokens.
    package var issuer: String { externalURL }
}
