import Crypto
import CryptoExtras

/// A key together with the only algorithms it may be used with.
///
/// The key decides, not the token: a public RSA key can never become an HMAC secret, whatever `alg` says
/// (RFC 8725, 3.1).
struct VerificationKey: Sendable {
    enum Material: Sendable {
        case symmetric(SymmetricKey)
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    let material: Material
    /// `kid`: a token that names a key is only checked with that one.
    let id: String?
    /// `alg`: when the key names its algorithm, no other will do.
    let algorithm: SignatureAlgorithm?

    /// Whether a token with this header may be checked with this key at all.
    func fits(_ token: CompactToken) -> Bool {
        if let wanted = token.keyID, wanted != id { return false }
        if let algorithm, algorithm != token.algorithm { return false }
        switch (material, token.algorithm) {
        case (.symmetric, .hs256), (.symmetric, .hs384), (.symmetric, .hs512),
            (.rsa, .rs256), (.rsa, .rs384), (.rsa, .rs512),
            (.p256, .es256), (.p384, .es384), (.p521, .es512), (.ed25519, .edDSA):
            return true
        default: return false
        }
    }

    /// Whether the token's signature is this key's. HMACs are compared in constant time (swift-crypto).
    func verifies(_ token: CompactToken) -> Bool {
        switch (material, token.algorithm) {
        case (.symmetric(let key), .hs256): hmac(SHA256.self, key, token)
        case (.symmetric(let key), .hs384): hmac(SHA384.self, key, token)
        case (.symmetric(let key), .hs512): hmac(SHA512.self, key, token)
        case (.rsa(let key), .rs256): rsa(SHA256.hash(data: token.signed), key, token)
        case (.rsa(let key), .rs384): rsa(SHA384.hash(data: token.signed), key, token)
        case (.rsa(let key), .rs512): rsa(SHA512.hash(data: token.signed), key, token)
        case (.p256(let key), .es256):
            (try? P256.Signing.ECDSASignature(rawRepresentation: token.signature))
                .map { key.isValidSignature($0, for: SHA256.hash(data: token.signed)) } ?? false
        case (.p384(let key), .es384):
            (try? P384.Signing.ECDSASignature(rawRepresentation: token.signature))
                .map { key.isValidSignature($0, for: SHA384.hash(data: token.signed)) } ?? false
        case (.p521(let key), .es512):
            (try? P521.Signing.ECDSASignature(rawRepresentation: token.signature))
                .map { key.isValidSignature($0, for: SHA512.hash(data: token.signed)) } ?? false
        case (.ed25519(let key), .edDSA): key.isValidSignature(token.signature, for: token.signed)
        default: false
        }
    }

    private func hmac<H: HashFunction>(_: H.Type, _ key: SymmetricKey, _ token: CompactToken) -> Bool {
        HMAC<H>.isValidAuthenticationCode(token.signature, authenticating: token.signed, using: key)
    }

    private func rsa(_ digest: some Digest, _ key: _RSA.Signing.PublicKey, _ token: CompactToken) -> Bool {
        key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: token.signature), for: digest,
            padding: .insecurePKCS1v1_5)
    }
}
