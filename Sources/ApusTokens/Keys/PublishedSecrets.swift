/// Secrets that stand in the documentation and examples of systems that people come from: whoever reads those could sign.
enum PublishedSecrets {
    private static let known: Set<String> = [
        // Supabase, when it is hosted by oneself, and its command line.
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "your-super-secret-jwt-token-with-at-least-32-characters-long",
        "your-super-secret-and-long-jwt-secret-with-at-least-32-characters",
        // Hasura.
        "this-is-a-generic-HS256-secret-key-and-you-should-really-change-it",
    ]

    /// Whether everybody knows a secret, or can guess it: one byte again and again.
    static func contains(_ secret: [UInt8]) -> Bool {
        Set(secret).count == 1 || known.contains(String(decoding: secret, as: UTF8.self))
    }
}
