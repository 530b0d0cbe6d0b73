import Crypto

/// The keys that encrypt what authentication keeps in the database: signing keys, seeds of factors, secrets. They are
/// in a file or the environment and never in the database, so that a copy of the database alone opens nothing.
///
/// The first key seals; all of them open, so that a key can be replaced by putting a new one before it.
package struct MasterKeys: Sendable {
    /// A value that none of the keys opens: damaged, moved from where it belongs, or sealed with a key that is gone.
    package struct CannotOpen: Error {}

    private struct Key: Sendable {
        let id: [UInt8]
        let key: SymmetricKey
    }

    private static let version: UInt8 = 1
    private static let idLength = 4
    private static let nonceLength = 12
    private static let tagLength = 16

    private let keys: [Key]

    /// - Parameter keys: one or more of 32 bytes; the first seals.
    package init?(_ keys: [[UInt8]]) {
        guard !keys.isEmpty, keys.allSatisfy({ $0.count == 32 }) else { return nil }
        self.keys = keys.map { bytes in
            Key(id: Array(SHA256.hash(data: bytes).prefix(Self.idLength)), key: SymmetricKey(data: bytes))
        }
    }

    /// A key of 32 bytes made from a secret that serves another purpose (RFC 5869).
    package static func derived(from secret: [UInt8]) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array("apus auth master key".utf8),
            outputByteCount: 32)
        return key.withUnsafeBytes { Array($0) }
    }

    /// Encrypts (AES-256-GCM) with a key of its own per `context`, which also must be named to open it: so a value
    /// that is moved to another row or column does not open.
    package func seal(_ plain: [UInt8], context: String) throws -> [UInt8] {
        let key = keys[0]
        let box = try AES.GCM.seal(
            plain, using: subkey(key, context), authenticating: Array(context.utf8))
        return [Self.version] + key.id + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// Decrypts what ``seal(_:context:)`` made.
    package func open(_ sealed: [UInt8], context: String) throws(CannotOpen) -> [UInt8] {
        let start = 1 + Self.idLength
        guard sealed.count >= start + Self.nonceLength + Self.tagLength, sealed[0] == Self.version,
            let key = keys.first(where: { $0.id.elementsEqual(sealed[1..<start]) }),
            let nonce = try? AES.GCM.Nonce(data: sealed[start..<start + Self.nonceLength]),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce,
                ciphertext: sealed[(start + Self.nonceLength)..<(sealed.count - Self.tagLength)],
                tag: sealed[(sealed.count - Self.tagLength)...]),
            let plain = try? AES.GCM.open(
                box, using: subkey(key, context), authenticating: Array(context.utf8))
        else { throw CannotOpen() }
        return Array(plain)
    }

    /// Whether a value was sealed with the first key; if not, it should be sealed anew.
    package func isCurrent(_ sealed: [UInt8]) -> Bool {
        sealed.count > Self.idLength && keys[0].id.elementsEqual(sealed[1...Self.idLength])
    }

    private func subkey(_ key: Key, _ context: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key.key, info: Array(context.utf8), outputByteCount: 32)
    }
}
