extension SettingDefinition {
    /// Settings of hooks: GoTrue's names with `auth-` before them.
    static let hooks: [SettingDefinition] = [
        .init(
            "auth-hook-before-user-created-uri", .string, nil,
            "Who is asked before somebody becomes a user: pg-functions://postgres/SCHEMA/FUNCTION, or a URL."),
        .init(
            "auth-hook-before-user-created-secrets", .string, nil,
            "whsec_… that signs these requests; several, divided by a bar, sign each; @FILE reads a file.",
            isSecret: true),
        .init(
            "auth-hook-mfa-verification-attempt-uri", .string, nil,
            "Who is asked after a second factor was checked: pg-functions://postgres/SCHEMA/FUNCTION, or a URL."
        ),
        .init(
            "auth-hook-mfa-verification-attempt-secrets", .string, nil,
            "whsec_… that signs these requests; several, divided by a bar, sign each; @FILE reads a file.",
            isSecret: true),
    ]
}
