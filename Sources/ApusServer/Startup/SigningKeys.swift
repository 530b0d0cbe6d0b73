import ApusAuth
package import ApusFaults
import ApusTokens

/// `apus keys`: the key ring of a running installation. Nodes follow by themselves.
package struct SigningKeys: Sendable {
    private let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// A line for each key.
    package func list() async throws -> [String] {
        try await withRing { ring in
            try await ring.entries().map { "\($0.id)  \($0.algorithm)  \($0.state)  \($0.changed)" }
        }
    }

    /// Publishes a key that will sign later.
    ///
    /// - Returns: its id.
    package func add() async throws -> String { try await withRing { try await $0.addStandby() } }

    /// Lets the standby key sign, or a new one.
    ///
    /// - Parameter minimumAge: seconds for which the standby key must have been published.
    /// - Returns: the id of the key that signs now.
    package func rotate(minimumAge: Int) async throws -> String {
        try await withRing { try await $0.rotate(minimumAge: minimumAge) }
    }

    /// Voids everything that a key signed.
    ///
    /// - Throws: when there is no such key, or it is the one that signs.
    package func revoke(_ id: String) async throws {
        guard try await withRing({ try await $0.revoke(id) }) else {
            throw Fault(
                code: "APUS013", kind: .notFound, message: "No key '\(id)' can be revoked.",
                hint: "apus keys list shows them; the current one must be rotated first.")
        }
    }

    /// Seals all private keys with the first key of `auth-encryption-key`.
    ///
    /// - Returns: how many were sealed with another.
    package func reseal() async throws -> Int { try await withRing { try await $0.reseal() } }

    // MARK: - Non public

    private func withRing<R: Sendable>(_ body: @Sendable (KeyRing) async throws -> R) async throws -> R {
        guard let masterKeys = try settings.masterKeys(DevelopmentKeys.existing(settings)) else {
            throw Fault(
                code: "APUS013", kind: .invalid, message: "There is no key to open the key ring with.",
                hint: "Set auth-encryption-key as the server has it, or --data-dir.")
        }
        return try await settings.withOwnerDatabase { database, logger in
            try await body(
                KeyRing(
                    database: AuthDatabase(database), masterKeys: masterKeys, trust: TokenTrust(),
                    shared: nil, logger: logger))
        }
    }
}
