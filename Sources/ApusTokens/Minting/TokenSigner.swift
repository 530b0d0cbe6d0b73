package import ApusJSON
package import Crypto

/// Signs tokens with one key (RFC 7515): what issues access tokens holds the current one of these.
package struct TokenSigner: Sendable {
    /// The key, which decides the algorithm.
    package enum Key: Sendable {
        /// ES256 (RFC 7518, 3.4).
        case p256(P256.Signing.PrivateKey)
        /// HS256 (RFC 7518, 3.2), for clients and gateways that verify with a shared secret.
        case symmetric(SymmetricKey)
    }

    /// `kid`; nil for a secret that has no name.
    package let id: String?
    private let key: Key
    private let type: String

    package init(_ key: Key, id: String?, type: String = "JWT") {
        self.key = key
        self.id = id
        self.type = type
    }

    /// The token in compact form.
    ///
    /// - Parameters:
    ///   - payload: the claims, a JSON object as UTF-8.
    ///   - type: `typ` of the header; nil: the signer's own.
    /// - Throws: when the library refuses to sign, which it does not for keys that it made itself.
    package func sign(_ payload: [UInt8], type: String? = nil) throws -> String {
        let signed = Base64URL.encode(header(type ?? self.type)) + "." + Base64URL.encode(payload)
        let bytes = Array(signed.utf8)
        let signature: [UInt8] =
            switch key {
            case .p256(let key): Array(try key.signature(for: bytes).rawRepresentation)
            case .symmetric(let key): Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
            }
        return signed + "." + Base64URL.encode(signature)
    }

    private func header(_ type: String) -> [UInt8] {
        var object = JSONObject()
        switch key {
        case .p256: object["alg"] = .string("ES256")
        case .symmetric: object["alg"] = .string("HS256")
        }
        if let id { object["kid"] = .string(id) }
        object["typ"] = .string(type)
        return JSONValue.object(object).bytes
    }

    /// The public half as a JSON Web Key (RFC 7517); nil for a secret, which has none.
    package var publicKey: JSONObject? {
        guard case .p256(let key) = key else { return nil }
        let point = Array(key.publicKey.x963Representation.dropFirst())
        var jwk: JSONObject = [
            "kty": "EC", "crv": "P-256", "x": .string(Base64URL.encode(point[..<32])),
            "y": .string(Base64URL.encode(point[32...])), "alg": "ES256", "use": "sig",
            "key_ops": .strings(["verify"]),
        ]
        if let id { jwk["kid"] = .string(id) }
        return jwk
    }
}
