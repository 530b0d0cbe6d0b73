import ApusFaults
import ApusTokens

/// The secret that tokens are verified with and, where Apus holds it itself, the keys that SDKs want.
package struct DevelopmentKeys: Sendable {
    /// What holds when `jwt-secret` is not set: made once for a private database and kept beside it.
    package let fallbackSecret: String?
    /// What authentication encrypts with when `auth-encryption-key` is not set: 32 bytes as base64url, made and kept
    /// in the same way.
    package let fallbackEncryptionKey: String?

    /// Whether the database is a private one: somebody develops, or has a small site.
    package let isDevelopment: Bool

    /// - Parameters:
    ///   - fallbackSecret: nil where only tokens of `jwt-secret` count.
    ///   - fallbackEncryptionKey: nil where only `auth-encryption-key` counts.
    package init(
        fallbackSecret: String?, fallbackEncryptionKey: String? = nil, isDevelopment: Bool = false
    ) {
        self.fallbackSecret = fallbackSecret
        self.isDevelopment = isDevelopment
        self.fallbackEncryptionKey = fallbackEncryptionKey
    }

    static func read(_ settings: Settings, home: DatabaseHome) throws -> DevelopmentKeys {
        guard let directory = home.dataDirectory else { return DevelopmentKeys(fallbackSecret: nil) }
        let needsSecret = settings.string("jwt-secret") == nil
        let needsKey = settings.string("auth-encryption-key") == nil
        return DevelopmentKeys(
            fallbackSecret: needsSecret ? try secret(directory + "/jwt-secret") : nil,
            fallbackEncryptionKey: needsKey ? try secret(directory + "/auth-encryption-key") : nil,
            isDevelopment: true)
    }

    /// The keys of an existing data directory, for commands beside a running server; makes none.
    package static func existing(_ settings: Settings) -> DevelopmentKeys {
        let directory = settings.string("data-dir") ?? ".apus"
        return DevelopmentKeys(
            fallbackSecret: try? SmallFile.read(directory + "/jwt-secret"),
            fallbackEncryptionKey: try? SmallFile.read(directory + "/auth-encryption-key"))
    }

    /// What a file holds; made when there is none.
    private static func secret(_ path: String) throws -> String {
        if let known = try? SmallFile.read(path), !known.isEmpty { return known }
        let made = DevelopmentSecret.generate()
        try SmallFile.writePrivately(made, to: path)
        return made
    }

    /// A token of ten years for a role, as SDKs want for `anonKey` and `serviceKey`; nil when there is no secret to
    /// sign with.
    func key(role: String, settings: Settings) -> String? {
        guard let tokens = try? settings.tokens(fallbackSecret: fallbackSecret),
            let minter = try? TokenMinter(settings: tokens)
        else { return nil }
        return try? minter.mint(role: role, lifetime: 10 * 365 * 24 * 3600)
    }
}
