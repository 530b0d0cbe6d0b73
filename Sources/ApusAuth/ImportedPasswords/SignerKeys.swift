import ApusPostgres
import ApusSQL
import Crypto
import Synchronization

/// The signer keys of imported Firebase projects: sealed in the database, opened where a password of an imported user
/// is checked. A hash names its key by ``id(of:)``.
package final class SignerKeys: Sendable {
    private let known = Mutex<[String: [UInt8]]>([:])
    private let find: @Sendable (String) async -> [UInt8]?

    /// - Parameter find: reads a key from where it is kept; asked once per key and process.
    package init(find: @escaping @Sendable (String) async -> [UInt8]?) { self.find = find }

    /// Reads from `auth.sealed_secrets`.
    package convenience init(database: AuthDatabase, masterKeys: MasterKeys) {
        self.init { id in
            let rows = try? await database.query(
                "select encode(secret, 'hex') from auth.sealed_secrets where name = \(bind: Self.name(id))")
            guard let sealed = rows?.string(0, 0).flatMap({ Hexadecimal.decode($0.utf8) }) else { return nil }
            return try? masterKeys.open(sealed, context: Self.name(id))
        }
    }

    /// Knows no keys.
    package static let none = SignerKeys { _ in nil }

    /// What names a key in hashes.
    package static func id(of key: [UInt8]) -> String {
        Hexadecimal.encode(SHA256.hash(data: key).prefix(8))
    }

    /// A statement that keeps a key.
    static func storing(_ key: [UInt8], _ masterKeys: MasterKeys) throws -> SQL {
        let name = name(id(of: key))
        let sealed = try masterKeys.seal(key, context: name)
        return """
            insert into auth.sealed_secrets (name, secret)
            values (\(bind: name), \(bind: .binary(sealed, oid: TypeOID.bytea))) on conflict (name) do nothing
            """
    }

    /// Makes ready the key that a hash names, if it names one.
    func prepare(for hash: String) async {
        guard hash.hasPrefix(FirebaseScrypt.prefix), let range = hash.firstRange(of: "kid=") else { return }
        let id = String(hash[range.upperBound...].prefix { $0 != "$" && $0 != "," })
        guard known.withLock({ $0[id] }) == nil, let key = await find(id) else { return }
        known.withLock { $0[id] = key }
    }

    /// nil before ``prepare(for:)``, and for keys that nobody has.
    subscript(id: String) -> [UInt8]? { known.withLock { $0[id] } }

    private static func name(_ id: String) -> String { "firebase signer key " + id }
}
