import ApusPostgres
import Crypto
import CryptoExtras
import Testing

@testable import ApusTokens

/// What `jwt-secret` may be, and that each kind of key verifies what it should.
@Suite struct KeyTests {
    private let payload = #"{"role":"author"}"#

    private func accepts(_ token: Substring, _ secret: String) throws -> Bool {
        try Forge.verifier(Forge.settings(secret: secret)).principal(forBearer: token).role == "author"
    }

    @Test("tokens of PostgREST's own specification hold")
    func upstreamTokens() throws {
        let token =
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoicG9zdGdyZXN0X3Rlc3RfYXV0aG9yIn0"
            + ".Xod-F15qsGL0WhdOCr2j3DdKuTw9QJERVgoFD3vGaWA"
        #expect(try Forge.verifier().principal(forBearer: token[...]).role == "postgrest_test_author")
    }

    @Test("RS256, RS384 and RS512, with the key alone and in a set")
    func rsa() throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let sign: (String) throws -> Substring = { name in
            try Forge.token(#"{"alg":"\#(name)"}"#, payload) { signed in
                let padding = _RSA.Signing.Padding.insecurePKCS1v1_5
                switch name {
                case "RS256":
                    return Array(
                        try key.signature(for: SHA256.hash(data: signed), padding: padding).rawRepresentation)
                case "RS384":
                    return Array(
                        try key.signature(for: SHA384.hash(data: signed), padding: padding).rawRepresentation)
                default:
                    return Array(
                        try key.signature(for: SHA512.hash(data: signed), padding: padding).rawRepresentation)
                }
            }
        }
        let jwk = try Forge.rsaJWK(key.publicKey)
        for name in ["RS256", "RS384", "RS512"] { #expect(try accepts(try sign(name), jwk)) }
        #expect(try accepts(try sign("RS256"), #"{"keys":[\#(jwk)]}"#))
        let bound = try Forge.rsaJWK(key.publicKey, extra: #","alg":"RS512""#)
        #expect(throws: TokenFault.noSuitableKey) { try accepts(try sign("RS256"), bound) }
        let other = try Forge.rsaJWK(_RSA.Signing.PrivateKey(keySize: .bits2048).publicKey)
        #expect(throws: TokenFault.signatureInvalid) { try accepts(try sign("RS256"), other) }
        #expect(try accepts(try sign("RS256"), #"{"keys":[\#(other),\#(jwk)]}"#))
    }

    @Test("ES256, ES384 and ES512, each with its curve only")
    func ellipticCurves() throws {
        let (small, middle, large) = (
            P256.Signing.PrivateKey(), P384.Signing.PrivateKey(), P521.Signing.PrivateKey()
        )
        let keys = [
            ("ES256", Forge.ecJWK("P-256", small.publicKey.x963Representation)),
            ("ES384", Forge.ecJWK("P-384", middle.publicKey.x963Representation)),
            ("ES512", Forge.ecJWK("P-521", large.publicKey.x963Representation)),
        ]
        for (name, jwk) in keys {
            let token = try Forge.token(#"{"alg":"\#(name)"}"#, payload) { signed in
                switch name {
                case "ES256": Array(try small.signature(for: SHA256.hash(data: signed)).rawRepresentation)
                case "ES384": Array(try middle.signature(for: SHA384.hash(data: signed)).rawRepresentation)
                default: Array(try large.signature(for: SHA512.hash(data: signed)).rawRepresentation)
                }
            }
            #expect(try accepts(token, jwk))
            for (other, otherJWK) in keys where other != name {
                #expect(throws: TokenFault.noSuitableKey) { try accepts(token, otherJWK) }
            }
        }
    }

    @Test("an ECDSA signature of zeros, or in DER, does not hold")
    func signaturesOfZeros() throws {
        let key = P256.Signing.PrivateKey()
        let jwk = Forge.ecJWK("P-256", key.publicKey.x963Representation)
        let zeros = Forge.token(#"{"alg":"ES256"}"#, payload) { _ in Array(repeating: 0, count: 64) }
        #expect(throws: TokenFault.signatureInvalid) { try accepts(zeros, jwk) }
        let der = try Forge.token(#"{"alg":"ES256"}"#, payload) {
            Array(try key.signature(for: $0).derRepresentation)
        }
        #expect(throws: TokenFault.signatureInvalid) { try accepts(der, jwk) }
    }

    @Test("Ed25519")
    func edwards() throws {
        let key = Curve25519.Signing.PrivateKey()
        let x = Base64URL.encode(key.publicKey.rawRepresentation)
        let token = try Forge.token(#"{"alg":"EdDSA"}"#, payload) { Array(try key.signature(for: $0)) }
        #expect(try accepts(token, #"{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}"#))
    }

    @Test("a text secret is for HS256 only; a JWK without alg for all three")
    func hmacSizes() throws {
        let k = Base64URL.encode(Array(Forge.secret.utf8))
        for bits in [256, 384, 512] {
            let token = Forge.hmac(payload, header: #"{"alg":"HS\#(bits)"}"#, bits: bits)
            #expect(try accepts(token, #"{"kty":"oct","k":"\#(k)"}"#))
            if bits > 256 {
                #expect(throws: TokenFault.noSuitableKey) { try accepts(token, Forge.secret) }
            }
        }
    }

    @Test("base64 secrets, in either alphabet, padded or not", arguments: ["+/", "-_"])
    func base64Secret(alphabet: String) throws {
        let bytes = (0..<33).map { UInt8(255 - $0 % 4) }
        let text = Base64URL.encode(bytes).map {
            $0 == "-" ? alphabet.first! : $0 == "_" ? alphabet.last! : $0
        }
        for end in ["", "\n", "="] {
            var settings = Forge.settings(secret: String(text) + end)
            settings.secretIsBase64 = true
            let key = SymmetricKey(data: bytes)
            let token = Forge.token(#"{"alg":"HS256"}"#, payload) {
                Array(HMAC<SHA256>.authenticationCode(for: $0, using: key))
            }
            #expect(try Forge.verifier(settings).principal(forBearer: token).role == "author")
        }
    }

    @Test("keys for other purposes are passed over")
    func otherKeys() throws {
        let k = Base64URL.encode(Array(Forge.secret.utf8))
        let good = #"{"kty":"oct","k":"\#(k)"}"#
        let others = [
            #"{"kty":"oct","k":"\#(k)","use":"enc"}"#, #"{"kty":"oct","k":"\#(k)","alg":"A256KW"}"#,
            #"{"kty":"new","x":1}"#, #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#,
            #"{"kty":"OKP","crv":"X25519","x":"AA"}"#, #"{"kty":"oct","k":"\#(k)","key_ops":["encrypt"]}"#,
        ]
        #expect(try accepts(Forge.hmac(payload), #"{"keys":[\#((others + [good]).joined(separator: ","))]}"#))
        for other in others {
            #expect(throws: TokenSettingsFault.self, "\(other)") {
                try Forge.verifier(Forge.settings(secret: #"{"keys":[\#(other)]}"#))
            }
        }
    }

    @Test(
        "secrets that no server should start with",
        arguments: [
            "super-secret-jwt-token-with-at-least-32-characters-long",
            String(repeating: "x", count: 64), "", "short", String(repeating: "x", count: 31), "{}",
            #"{"keys":[]}"#, #"{"keys":[1]}"#,
            #"{"keys":{}}"#,
            #"{"kty":"oct","k":"c2hvcnQ"}"#, #"{"kty":"oct"}"#, #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
            #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#,
            #"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
            // a key with a comma too many must not become a secret that everybody can read
            #"{"kty":"RSA","n":"0etQ2Tg187jb04MWfpuogYGV75IFrQQBxQaGH75eq","e":"AQAB",}"#,
        ])
    func unusableSecrets(secret: String) {
        let fault = #expect(throws: TokenSettingsFault.self) {
            try Forge.verifier(Forge.settings(secret: secret))
        }
        #expect(fault?.setting == "jwt-secret")
    }

    @Test("without a secret every token is refused, and anonymous requests are not")
    func noSecret() throws {
        let verifier = try Forge.verifier(Forge.settings(secret: nil))
        #expect(throws: TokenFault.secretMissing) { try verifier.principal(forBearer: Forge.hmac(payload)) }
        #expect(try verifier.principal(forBearer: nil).role == "anon")
    }

    @Test("jwt-aud with a colon must be a URI")
    func audienceSetting() throws {
        for audience in ["plain", "https://example.com/x", "urn:a:b"] {
            _ = try Forge.verifier(Forge.settings(audience: audience))
        }
        for audience in [":", "http://a b", "1:2", "a:<b>"] {
            #expect(throws: TokenSettingsFault.self) {
                try Forge.verifier(Forge.settings(audience: audience))
            }
        }
    }
}
