package import ApusJSON
import ApusPostgres
package import ApusSQL
package import ApusTokens
import Crypto
package import Logging
import Synchronization

/// The keys that sign access tokens: `standby` → `current` → `previous` → `revoked`.
///
/// All but revoked ones verify and are published; one signs. The ring lies in the database, private halves sealed with
/// the master keys; every node holds a copy and reads it again when `apus_auth` announces a change.
package final class KeyRing: Sendable {
    private struct State {
        var signer: TokenSigner?
        var published: [JSONObject] = []
        var ids: Set<String> = []
    }

    let database: AuthDatabase
    let masterKeys: MasterKeys
    private let trust: TokenTrust
    private let logger: Logger
    private let state = Mutex(State())
    /// What signs instead of the ring: HS256 with `jwt-secret`.
    private let shared: TokenSigner?

    package init(
        database: AuthDatabase, masterKeys: MasterKeys, trust: TokenTrust, shared: TokenSigner?,
        logger: Logger
    ) {
        self.database = database
        self.masterKeys = masterKeys
        self.trust = trust
        self.shared = shared
        self.logger = logger
    }

    /// What signs now; nil before the ring was read.
    package var signer: TokenSigner? { shared ?? state.withLock { $0.signer } }

    /// The ring's own key that signs now, also where something else signs access tokens: clients of the identity provider
    /// verify with the published keys.
    package var ringSigner: TokenSigner? { state.withLock { $0.signer } }

    /// The public keys, for `/.well-known/jwks.json`.
    package var published: [JSONObject] { state.withLock { $0.published } }

    // MARK: - Reading

    /// Reads the ring, and makes its first key when it is empty.
    package func load() async throws {
        let rows = try await database.query(Self.all)
        if (0..<rows.count).contains(where: { rows.string($0, 1) == "current" }) { return take(rows) }
        let key = try make()
        try await database.query(inserting(key, state: "current") + " on conflict do nothing")
        take(try await database.query(Self.all))
    }

    private static let all: SQL =
        """
        select id, state, public_key, encode(private_key, 'hex') from auth.signing_keys
        where state <> 'revoked' order by created_at
        """

    private func take(_ rows: Rows) {
        var next = State()
        for row in 0..<rows.count {
            guard let id = rows.string(row, 0),
                let jwk = rows.withBytes(row, 2, { $0.flatMap { try? JSONReader.read(Array($0)).object } })
            else { continue }
            next.published.append(jwk)
            next.ids.insert(id)
            guard rows.string(row, 1) == "current" else { continue }
            if let sealed = rows.string(row, 3).flatMap({ Hexadecimal.decode($0.utf8) }),
                let raw = try? masterKeys.open(sealed, context: Self.context(id)),
                let key = try? P256.Signing.PrivateKey(rawRepresentation: raw)
            {
                next.signer = TokenSigner(.p256(key), id: id)
            } else {
                logger.error(
                    "the current signing key cannot be opened; is auth-encryption-key another one than before?",
                    metadata: ["key": "\(id)"])
            }
        }
        let taken = next
        let isSmaller = state.withLock { state in
            defer { state = taken }
            return !state.ids.isSubset(of: taken.ids)
        }
        trust.replaceKeys(taken.published, isSmaller: isSmaller)
    }

    // MARK: - Non public

    struct NewKey: Sendable {
        let id: String
        let publicKey: String
        let sealed: [UInt8]
    }

    func make() throws -> NewKey {
        let key = P256.Signing.PrivateKey()
        let id = UUIDText.random()
        let signer = TokenSigner(.p256(key), id: id)
        let jwk = signer.publicKey ?? [:]
        return NewKey(
            id: id, publicKey: String(decoding: JSONValue.object(jwk).bytes, as: UTF8.self),
            sealed: try masterKeys.seal(Array(key.rawRepresentation), context: Self.context(id)))
    }

    func inserting(_ key: NewKey, state: String) -> SQL {
        """
        insert into auth.signing_keys (id, algorithm, state, public_key, private_key)
        values (\(bind: key.id), 'ES256', \(bind: state), \(bind: key.publicKey)::jsonb,
            \(bind: .binary(key.sealed, oid: TypeOID.bytea)))
        """
    }

    static func context(_ id: String) -> String { "signing key \(id)" }
}
