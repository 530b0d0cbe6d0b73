import ApusPostgres
import ApusSQL
package import Crypto
import Synchronization

/// Secrets that all nodes share, each made once and kept sealed in the database: what refresh tokens are authenticated
/// with, what codes are hashed with.
package final class SealedSecrets: Sendable {
    /// What a secret is for.
    package enum Name: String, Sendable, CaseIterable {
        case refreshTokens = "refresh tokens"
        case codes
        case pseudonyms
    }

    private let database: AuthDatabase
    private let masterKeys: MasterKeys
    private let known = Mutex<[Name: SymmetricKey]>([:])

    package init(database: AuthDatabase, masterKeys: MasterKeys) {
        self.database = database
        self.masterKeys = masterKeys
    }

    /// Reads all secrets, making those that are missing.
    ///
    /// - Throws: when one cannot be opened with the master keys.
    package func load() async throws {
        for name in Name.allCases {
            let made = try masterKeys.seal(RandomBytes.make(32), context: Self.context(name))
            let rows = try await database.query(
                """
                with made as (
                    insert into auth.sealed_secrets (name, secret)
                    select \(bind: name.rawValue), \(bind: .binary(made, oid: TypeOID.bytea))
                    where not exists (select from auth.sealed_secrets where name = \(bind: name.rawValue))
                    on conflict do nothing returning secret)
                select encode(secret, 'hex') from made
                union all select encode(secret, 'hex') from auth.sealed_secrets where name = \(bind: name.rawValue)
                """)
            // Nothing: another node made it at this very moment.
            guard let sealed = rows.string(0, 0).flatMap({ Hexadecimal.decode($0.utf8) }) else {
                return try await load()
            }
            let secret = try masterKeys.open(sealed, context: Self.context(name))
            known.withLock { $0[name] = SymmetricKey(data: secret) }
        }
    }

    /// nil before ``load()``.
    package subscript(name: Name) -> SymmetricKey? { known.withLock { $0[name] } }

    private static func context(_ name: Name) -> String { "secret \(name.rawValue)" }
}
