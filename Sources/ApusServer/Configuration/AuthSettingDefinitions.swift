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
        .init("auth-password-min-length", .integer(6...128), "8", "Fewest characters of a password."),
    ]
}
