import ApusFaults
import ApusTokens

/// The secret that tokens are verified with and, where Apus holds it itself, the keys that SDKs want.
package struct DevelopmentKeys: Sendable {
    /// What holds when `jwt-secret` is not set: made once for a private database and kept beside it.
    package let fallbackSecret: String?

    /// - Parameter fallbackSecret: nil where only tokens of `jwt-secret` count.
    package init(fallbackSecret: String?) { self.fallbackSecret = fallbackSecret }

    static func read(_ settings: Settings, home: DatabaseHome) throws -> DevelopmentKeys {
        guard settings.string("jwt-secret") == nil, let directory = home.dataDirectory else {
            return DevelopmentKeys(fallbackSecret: nil)
        }
        let path = directory + "/jwt-secret"
        if let known = try? SmallFile.read(path), !known.isEmpty {
            return DevelopmentKeys(fallbackSecret: known)
        }
        let made = DevelopmentSecret.generate()
        try SmallFile.writePrivately(made, to: path)
        return DevelopmentKeys(fallbackSecret: made)
    }

    /// The keys of an existing data directory, for commands beside a running server; makes none.
    package static func existing(_ settings: Settings) -> DevelopmentKeys {
        let path = (settings.string("data-dir") ?? ".apus") + "/jwt-secret"
        return DevelopmentKeys(fallbackSecret: try? SmallFile.read(path))
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
