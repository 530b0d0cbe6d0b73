extension SettingDefinition {
    /// Settings of authentication: GoTrue's names with `auth-` before them.
    static let authentication: [SettingDefinition] = [
        .init("auth-enabled", .boolean, "true", "Whether people can sign in: /auth/v1."),
        .init("auth-prefix", .string, "/auth/v1", "Path before authentication."),
        .init(
            "auth-external-url", .string, nil,
            "URL under which clients reach authentication, and issuer of tokens; default: this server's own."),
        .init(
            "auth-site-url", .string, "http://localhost:3000",
            "Where people are sent from mails when nothing else is asked for or allowed."),
        .init("auth-uri-allow-list", .list, nil, "Further places to send people to; * and ** as wildcards."),
        .init(
            "auth-encryption-key", .string, nil,
            "32 bytes in base64 or hex that encrypt signing keys and secrets; several: the first encrypts, all decrypt. @FILE reads a file.",
            isSecret: true),
        .init("auth-jwt-exp", .integer(60...604_800), "3600", "Seconds that an access token holds."),
        .init(
            "auth-jwt-algorithm", .choice(["ES256", "HS256"]), "ES256",
            "What signs access tokens: the key ring, or jwt-secret."),
        .init(
            "auth-jwt-admin-roles", .list, "service_role,supabase_admin", "Roles that may administer users."),
        .init("auth-disable-signup", .boolean, "false", "Whether nobody can sign up."),
        .init(
            "auth-mailer-autoconfirm", .boolean, "false",
            "Whether e-mail addresses count as confirmed at once."),
        .init("auth-sms-autoconfirm", .boolean, "false", "Whether numbers count as confirmed at once."),
        .init("auth-external-email-enabled", .boolean, "true", "Whether people sign up by e-mail."),
        .init("auth-external-phone-enabled", .boolean, "false", "Whether people sign up by phone."),
        .init(
            "auth-external-anonymous-users-enabled", .boolean, "false",
            "Whether people may be anonymous users."),
        .init(
            "auth-refresh-token-reuse-interval", .integer(0...300), "10",
            "Seconds in which an exchanged refresh token still gives the newest one."),
        .init(
            "auth-sessions-timebox", .integer(0...31_536_000), "0",
            "Seconds that a session lasts at most; 0: any."),
        .init(
            "auth-sessions-inactivity-timeout", .integer(0...31_536_000), "0",
            "Seconds without a refresh after which a session is over; 0: never."),
        .init(
            "auth-sessions-single-per-user", .boolean, "false",
            "Whether signing in ends a user's other sessions."),
        .init("auth-password-min-length", .integer(6...128), "8", "Fewest characters of a password."),
        .init(
            "auth-password-max-length", .integer(64...1024), "72",
            "Most bytes of a password; longer ones are refused."),
        .init(
            "auth-password-required-characters", .string, nil,
            "Kinds of characters, separated by colons, of which a password needs one each."),
        .init(
            "auth-password-leaked-check", .boolean, "true",
            "Whether passwords that everybody knows are refused."),
        .init(
            "auth-password-leaked-file", .string, nil,
            "File of leaked passwords, made by apus passwords, that are refused too."),
        .init(
            "auth-security-update-address-require-reauthentication", .boolean, "true",
            "Whether another number, or an address that only the new side confirms, needs a code when the session is older than a day."
        ),
        .init(
            "auth-security-update-password-require-reauthentication", .boolean, "true",
            "Whether a new password needs a code when the session is older than a day."),
        .init(
            "auth-security-update-password-require-current-password", .boolean, "false",
            "Whether a new password needs the current one."),
        .init("auth-mailer-otp-exp", .integer(60...86_400), "600", "Seconds that a code in a mail holds."),
        .init(
            "auth-mailer-link-exp", .integer(60...604_800), "86400", "Seconds that a link in a mail holds."),
        .init("auth-mailer-otp-length", .integer(6...10), "6", "Digits of a code in a mail."),
        .init("auth-sms-otp-exp", .integer(30...600), "300", "Seconds that a code in a text message holds."),
        .init("auth-sms-otp-length", .integer(6...10), "6", "Digits of a code in a text message."),
        .init(
            "auth-mailer-secure-email-change-enabled", .boolean, "true",
            "Whether both addresses must agree to a change."),
        .init(
            "auth-smtp-max-frequency", .integer(0...86_400), "60", "Seconds between two mails to one address."
        ),
        .init(
            "auth-sms-max-frequency", .integer(0...86_400), "60",
            "Seconds between two text messages to one number."),
        .init(
            "auth-rate-limit-email-sent", .integer(0...10_000_000), "0",
            "Mails an hour, to all; 0: any number."),
        .init(
            "auth-rate-limit-sms-sent", .integer(0...10_000_000), "0",
            "Text messages an hour, to all; 0: any number."),
        .init(
            "auth-rate-limit-signup", .integer(0...1_000_000), "30",
            "Sign-ups of one address in five minutes; 0: any number."),
        .init(
            "auth-rate-limit-token", .integer(0...1_000_000), "150",
            "Sign-ins by password of one address in five minutes; 0: any number."),
        .init(
            "auth-rate-limit-verify", .integer(0...1_000_000), "30",
            "Codes and links that one address uses in five minutes; 0: any number."),
        .init(
            "auth-rate-limit-otp", .integer(0...1_000_000), "30",
            "Codes and links that one address asks for in five minutes; 0: any number."),
        .init(
            "auth-rate-limit-user", .integer(0...1_000_000), "30",
            "Changes of users by one address in five minutes; 0: any number."),
        .init(
            "auth-rate-limit-anonymous-users", .integer(0...1_000_000), "30",
            "Anonymous users of one address an hour; 0: any number."),
        .init(
            "auth-password-workers", .integer(1...256), nil,
            "Passwords that are hashed at once; default: the processors."),
        .init("auth-password-queue", .integer(0...100_000), "1000", "Passwords that may wait to be hashed."),
    ]
}
