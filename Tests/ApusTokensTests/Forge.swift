import Crypto
import CryptoExtras
import Synchronization

@testable import ApusTokens

/// Makes tokens of every kind, right and wrong ones.
enum Forge {
    /// The secret of PostgREST's own specification, so that its tokens verify here.
    static let secret = "reallyreallyreallyreallyverysafe"
    /// The moment at which the tests happen, seconds since 1970.
    static let now: Int64 = 1_700_000_000

    static func settings(
        secret: String? = secret, audience: String? = nil, roleClaimKey: String = "$.role",
        anonymousRole: String? = "anon", cacheMaxEntries: Int = 1000
    ) -> TokenSettings {
        TokenSettings(
            secret: secret.map { Array($0.utf8) }, audience: audience, roleClaimKey: roleClaimKey,
            anonymousRole: anonymousRole, cacheMaxEntries: cacheMaxEntries)
    }

    static func verifier(_ settings: TokenSettings = settings()) throws -> TokenVerifier {
        try TokenVerifier(settings: settings, clock: { now })
    }

    /// A token signed with HMAC over SHA-256, SHA-384 or SHA-512, as the header claims or not.
    static func hmac(
        _ payload: String, header: String = #"{"alg":"HS256"}"#, secret: String = secret,
        bits: Int = 256
    ) -> Substring {
        let key = SymmetricKey(data: Array(secret.utf8))
        return token(header, payload) { signed in
            switch bits {
            case 512: Array(HMAC<SHA512>.authenticationCode(for: signed, using: key))
            case 384: Array(HMAC<SHA384>.authenticationCode(for: signed, using: key))
            default: Array(HMAC<SHA256>.authenticationCode(for: signed, using: key))
            }
        }
    }

    static func token(
        _ header: String, _ payload: String, sign: ([UInt8]) throws -> [UInt8]
    ) rethrows -> Substring {
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        return try Substring(signed + "." + Base64URL.encode(sign(Array(signed.utf8))))
    }

    static func rsaJWK(_ key: _RSA.Signing.PublicKey, extra: String = "") throws -> String {
        let parts = try key.getKeyPrimitives()
        let (modulus, exponent) = (Base64URL.encode(parts.modulus), Base64URL.encode(parts.publicExponent))
        return #"{"kty":"RSA","n":"\#(modulus)","e":"\#(exponent)"\#(extra)}"#
    }

    static func ecJWK(_ curve: String, _ x963: some Collection<UInt8>, extra: String = "") -> String {
        let coordinates = Array(x963.dropFirst())
        let (x, y) = (coordinates.prefix(coordinates.count / 2), coordinates.suffix(coordinates.count / 2))
        return
            #"{"kty":"EC","crv":"\#(curve)","x":"\#(Base64URL.encode(x))","y":"\#(Base64URL.encode(y))"\#(extra)}"#
    }
}

/// A clock that stands until a test moves it.
final class StoppedClock: Sendable {
    private let seconds: Atomic<Int64>

    init(_ seconds: Int64 = Forge.now) { self.seconds = Atomic(seconds) }

    func set(_ seconds: Int64) { self.seconds.store(seconds, ordering: .sequentiallyConsistent) }

    var read: TokenVerifier.Clock { { self.seconds.load(ordering: .sequentiallyConsistent) } }
}
