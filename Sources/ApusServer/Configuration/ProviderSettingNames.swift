/// `auth-external-NAME-…`: settings of providers of accounts, for any NAME that the operator chooses.
enum ProviderSettingNames {
    private static let prefix = "auth-external-"

    private struct Suffix: Sendable {
        let text: String
        let kind: SettingDefinition.Kind
        let fallback: String?
        let summary: String
        var isSecret = false
    }

    private static let suffixes: [Suffix] = [
        .init(text: "enabled", kind: .boolean, fallback: "true", summary: "Whether people sign in there."),
        .init(text: "client-id", kind: .list, fallback: nil, summary: "Client ids; the first for browsers."),
        .init(
            text: "secret", kind: .string, fallback: nil, summary: "Client secret; @FILE reads a file.",
            isSecret: true),
        .init(text: "url", kind: .string, fallback: nil, summary: "The issuer."),
        .init(text: "redirect-uri", kind: .string, fallback: nil, summary: "Where it sends people back."),
        .init(text: "scopes", kind: .list, fallback: nil, summary: "Further scopes."),
        .init(
            text: "skip-nonce-check", kind: .boolean, fallback: "false", summary: "id_tokens without nonce."),
        .init(
            text: "email-optional", kind: .boolean, fallback: "false", summary: "People without an address."),
        .init(text: "key-id", kind: .string, fallback: nil, summary: "Id of Apple's key in the secret."),
        .init(text: "team-id", kind: .string, fallback: nil, summary: "Team of Apple's key in the secret."),
    ]

    /// Provider and rest of a setting's name; nil for other settings, and for the fixed ones that look alike.
    static func parts(_ name: String) -> (provider: String, suffix: String)? {
        guard let (provider, suffix) = split(name) else { return nil }
        return (provider, suffix.text)
    }

    static func definition(_ name: String) -> SettingDefinition? {
        guard let (_, suffix) = split(name) else { return nil }
        return SettingDefinition(
            name, suffix.kind, suffix.fallback, suffix.summary, isSecret: suffix.isSecret)
    }

    /// `APUS_AUTH_EXTERNAL_ACME_CLIENT_ID` is `auth-external-acme-client-id`; a provider's name has no hyphen.
    static func name(ofVariable variable: String) -> String? {
        let name = variable.dropFirst("APUS_".count).lowercased().replacing("_", with: "-")
        return split(name) == nil ? nil : name
    }

    private static func split(_ name: String) -> (String, Suffix)? {
        guard name.hasPrefix(prefix) else { return nil }
        let rest = name.dropFirst(prefix.count)
        for suffix in suffixes where rest.hasSuffix("-" + suffix.text) {
            let provider = rest.dropLast(suffix.text.utf8.count + 1)
            guard !reserved.contains(provider), (1...40).contains(provider.utf8.count),
                provider.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
            else { continue }
            return (String(provider), suffix)
        }
        return nil
    }

    /// Ways to sign in that are no providers.
    private static let reserved: Set<Substring> = [
        "email", "phone", "anonymous", "anonymoususers", "web3", "saml",
    ]
}
