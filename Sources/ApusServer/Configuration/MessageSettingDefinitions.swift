extension SettingDefinition {
    /// Settings of mail and text messages, and of requests to other servers.
    static let messages: [SettingDefinition] = [
        .init(
            "auth-smtp-host", .string, nil,
            "Mail server; without one, messages go to the inbox of a development server, or wait."),
        .init("auth-smtp-port", .integer(1...65_535), "587", "Its port."),
        .init(
            "auth-smtp-security", .choice(["auto", "implicit", "starttls", "none"]), "auto",
            "Encryption; auto: implicit on port 465, STARTTLS elsewhere. none only for this machine."),
        .init(
            "auth-smtp-ca", .string, nil,
            "PEM file of the authorities that the mail server's certificate is checked against."),
        .init("auth-smtp-user", .string, nil, "User at the mail server."),
        .init("auth-smtp-pass", .string, nil, "Password; @FILE reads a file.", isSecret: true),
        .init(
            "auth-smtp-admin-email", .string, nil, "Address that mails come from; needed with auth-smtp-host."
        ),
        .init("auth-smtp-sender-name", .string, nil, "Name that mails come from."),
        .init("auth-smtp-connections", .integer(1...64), "4", "Connections to the mail server at once."),
        .init("auth-smtp-timeout", .integer(1...300), "30", "Seconds that it has for each answer."),
        .init(
            "auth-mailer-templates", .string, nil,
            "Directory of templates: LOCALE/KIND.subject|text|html.mustache."),
        .init("auth-mailer-locale", .string, "en", "Language for people of whom none is known."),
        .init(
            "auth-sms-webhook-url", .string, nil, "Where text messages are handed over, by POST; https."),
        .init(
            "auth-sms-webhook-secret", .string, nil, "whsec_… that signs these requests; @FILE reads a file.",
            isSecret: true),
        .init(
            "dev-inbox", .choice(["auto", "on", "off"]), "auto",
            "Whether unsent messages are shown at /dev/inbox; auto: on a private database."),
        .init(
            "auth-security-manual-linking-enabled", .boolean, "false",
            "Whether people may link further identities to their account, and unlink them."),
        .init(
            "outbound-private-hosts", .list, nil,
            "Hosts (NAME or NAME:PORT) that requests of this server may reach at private addresses and without TLS."
        ),
    ]
}
