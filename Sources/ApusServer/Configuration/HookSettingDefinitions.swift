extension SettingDefinition {
    /// Settings of hooks: GoTrue's names with `auth-` before them.
    static let hooks: [SettingDefinition] = [
        .init(
            "auth-hook-custom-access-token-uri", .string, nil, asked("for the claims of every access token")),
        .init("auth-hook-custom-access-token-secrets", .string, nil, signing, isSecret: true),
        .init("auth-hook-before-user-created-uri", .string, nil, asked("before somebody becomes a user")),
        .init("auth-hook-before-user-created-secrets", .string, nil, signing, isSecret: true),
        .init("auth-hook-after-user-created-uri", .string, nil, asked("after somebody became a user")),
        .init("auth-hook-after-user-created-secrets", .string, nil, signing, isSecret: true),
        .init(
            "auth-hook-password-verification-attempt-uri", .string, nil, asked("after a password was checked")
        ),
        .init("auth-hook-password-verification-attempt-secrets", .string, nil, signing, isSecret: true),
        .init(
            "auth-hook-mfa-verification-attempt-uri", .string, nil, asked("after a second factor was checked")
        ),
        .init("auth-hook-mfa-verification-attempt-secrets", .string, nil, signing, isSecret: true),
        .init("auth-hook-send-email-uri", .string, nil, asked("to send mails, instead of a mail server")),
        .init("auth-hook-send-email-secrets", .string, nil, signing, isSecret: true),
        .init("auth-hook-send-sms-uri", .string, nil, asked("to send text messages")),
        .init("auth-hook-send-sms-secrets", .string, nil, signing, isSecret: true),
    ]

    private static func asked(_ moment: String) -> String {
        "Who is asked \(moment): pg-functions://postgres/SCHEMA/FUNCTION, or a URL."
    }

    private static let signing =
        "whsec_… that signs these requests; several, divided by a bar, sign each; @FILE reads a file."
}
