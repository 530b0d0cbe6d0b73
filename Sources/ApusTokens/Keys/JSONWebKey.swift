import ApusJSON
import Crypto
import CryptoExtras

/// Reads a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037) into a key for checking signatures.
///
/// Of a private key only the public half is used.
enum JSONWebKey {
    /// nil for a key that is meant for something else: an unknown type, curve or algorithm, or encryption. Throws
    /// when the key claims to be of a kind that is known here and then is not.
    static func read(_ jwk: JSONObject) throws(TokenSettingsFault) -> VerificationKey? {
        guard let type = jwk["kty"]?.text else { throw fault("a JSON Web Key needs a 'kty'") }
        if let use = jwk["use"]?.text, use != "sig" { return nil }
        if case .array(let operations) = jwk["key_ops"],
            !operations.contains(where: { $0.text == "verify" || $0.text == "sign" })
        {
            return nil
        }
        var algorithm: SignatureAlgorithm?
        if let name = jwk["alg"]?.text {
            guard let known = SignatureAlgorithm(rawValue: name) else { return nil }
            algorithm = known
        }
        guard let material = try material(type, jwk) else { return nil }
        return VerificationKey(material: material, id: jwk["kid"]?.text, algorithm: algorithm)
    }

    private static func material(
        _ type: String, _ jwk: JSONObject
    ) throws(TokenSettingsFault) -> VerificationKey.Material? {
        switch type {
        case "oct": return .symmetric(try VerificationKeySet.symmetric(try bytes("k", jwk)))
        case "RSA":
            let (modulus, exponent) = (try bytes("n", jwk), try bytes("e", jwk))
            guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else {
                throw fault("an RSA key is not usable; it needs a modulus of 2048 bits or more")
            }
            return .rsa(key)
        case "EC": return try ellipticCurve(jwk)
        case "OKP":
            guard jwk["crv"]?.text == "Ed25519" else { return nil }
            guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: try bytes("x", jwk)) else {
                throw fault("an Ed25519 key is not 32 bytes")
            }
            return .ed25519(key)
        default: return nil
        }
    }

    private static func ellipticCurve(
        _ jwk: JSONObject
    ) throws(TokenSettingsFault) -> VerificationKey.Material? {
        let material: VerificationKey.Material?
        switch jwk["crv"]?.text {
        case "P-256":
            material = (try? P256.Signing.PublicKey(x963Representation: try point(jwk, 32))).map { .p256($0) }
        case "P-384":
            material = (try? P384.Signing.PublicKey(x963Representation: try point(jwk, 48))).map { .p384($0) }
        case "P-521":
            material = (try? P521.Signing.PublicKey(x963Representation: try point(jwk, 66))).map { .p521($0) }
        default: return nil
        }
        guard let material else { throw fault("an EC key is not a point on its curve") }
        return material
    }

    /// The uncompressed point `04 || x || y` (SEC 1, 2.3.3). Coordinates written without their leading zeros are
    /// filled up.
    private static func point(_ jwk: JSONObject, _ size: Int) throws(TokenSettingsFault) -> [UInt8] {
        var point: [UInt8] = [0x04]
        for name in ["x", "y"] {
            let coordinate = try bytes(name, jwk)
            guard coordinate.count <= size else { throw fault("an EC key's '\(name)' is too long") }
            point.append(contentsOf: repeatElement(0, count: size - coordinate.count))
            point.append(contentsOf: coordinate)
        }
        return point
    }

    private static func bytes(_ name: String, _ jwk: JSONObject) throws(TokenSettingsFault) -> [UInt8] {
        guard let text = jwk[name]?.text, let bytes = Base64URL.decodeLeniently(text.utf8), !bytes.isEmpty
        else {
            throw fault("a JSON Web Key lacks '\(name)', or it is not base64url")
        }
        return bytes
    }

    private static func fault(_ reason: String) -> TokenSettingsFault {
        TokenSettingsFault("jwt-secret", reason)
    }
}
