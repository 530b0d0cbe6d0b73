import Crypto
import CryptoExtras

/// A credential's public key (COSE_Key, RFC 9052 §7): ES256 on P-256, RS256, or EdDSA on Ed25519.
struct CredentialKey: Sendable {
    /// COSE algorithm identifiers (RFC 9053), in the order in which a new credential should prefer them.
    static let algorithms: [Int64] = [-7, -8, -257]

    private enum Material {
        case p256(P256.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// COSE's identifier.
    let algorithm: Int64
    private let material: Material

    /// nil for another kind of key, and for what is no key of its kind.
    init?(cose: CBORValue) {
        guard let type = cose[1]?.integer, let algorithm = cose[3]?.integer else { return nil }
        self.algorithm = algorithm
        switch (type, algorithm) {
        case (2, -7):
            guard cose[-1] == .integer(1), let x = cose[-2]?.bytes, let y = cose[-3]?.bytes, x.count == 32,
                y.count == 32, let key = try? P256.Signing.PublicKey(x963Representation: [0x04] + x + y)
            else { return nil }
            material = .p256(key)
        case (3, -257):
            // At most 4096 bits: the cost of a check grows with the square of the modulus, and with the exponent.
            guard let n = cose[-1]?.bytes, let e = cose[-2]?.bytes, n.count <= 513, e.count <= 4,
                let key = try? _RSA.Signing.PublicKey(n: n, e: e)
            else { return nil }
            material = .rsa(key)
        case (1, -8):
            guard cose[-1] == .integer(6), let x = cose[-2]?.bytes,
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
            else { return nil }
            material = .ed25519(key)
        default: return nil
        }
    }

    /// The key in a certificate's SubjectPublicKeyInfo, for `algorithm`; nil when they do not go together.
    init?(subjectPublicKeyInfo der: [UInt8], algorithm: Int64) {
        self.algorithm = algorithm
        switch algorithm {
        case -7:
            guard let key = try? P256.Signing.PublicKey(derRepresentation: der) else { return nil }
            material = .p256(key)
        case -257:
            guard der.count <= 600, let key = try? _RSA.Signing.PublicKey(derRepresentation: der) else {
                return nil
            }
            material = .rsa(key)
        default: return nil
        }
    }

    /// Whether the signature is this key's over `message` (WebAuthn §6.5.5: ECDSA in DER).
    func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch material {
        case .p256(let key):
            (try? P256.Signing.ECDSASignature(derRepresentation: signature))
                .map { key.isValidSignature($0, for: SHA256.hash(data: message)) } ?? false
        case .rsa(let key):
            key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: message),
                padding: .insecurePKCS1v1_5)
        case .ed25519(let key): key.isValidSignature(signature, for: message)
        }
    }
}
