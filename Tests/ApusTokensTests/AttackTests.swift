import ApusPostgres
import Crypto
import CryptoExtras
import Testing

@testable import ApusTokens

/// One test per known way to get in with a token that should not hold.
@Suite struct AttackTests {
    @Test("a public RSA key used as HMAC secret does not sign")
    func algorithmConfusion() throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        for extra in ["", #","alg":"RS256""#] {
            let jwk = try Forge.rsaJWK(key.publicKey, extra: extra)
            let verifier = try Forge.verifier(Forge.settings(secret: jwk))
            for secret in [jwk, key.publicKey.pemRepresentation, key.publicKey.pkcs1PEMRepresentation] {
                let token = Forge.hmac(#"{"role":"admin"}"#, secret: secret)
                #expect(throws: TokenFault.noSuitableKey) { try verifier.principal(forBearer: token) }
            }
        }
    }

    @Test("a symmetric secret verifies nothing asymmetric", arguments: ["RS256", "ES256", "EdDSA", "PS256"])
    func reverseConfusion(algorithm: String) throws {
        let token = Forge.hmac(#"{"role":"admin"}"#, header: #"{"alg":"\#(algorithm)"}"#)
        let fault: TokenFault = algorithm == "PS256" ? .malformed : .noSuitableKey
        #expect(throws: fault) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("alg none is refused, signed or not", arguments: ["none"])
    func none(algorithm: String) throws {
        let verifier = try Forge.verifier()
        let header = #"{"alg":"\#(algorithm)"}"#
        let unsigned = Forge.token(header, #"{"role":"admin"}"#) { _ in [] }
        #expect(throws: TokenFault.unsecured) { try verifier.principal(forBearer: unsigned) }
        let signed = Forge.hmac(#"{"role":"admin"}"#, header: header)
        #expect(throws: TokenFault.unsecured) { try verifier.principal(forBearer: signed) }
    }

    @Test("other spellings of none are unknown algorithms", arguments: ["None", "NONE", "nOnE", "", "hs256"])
    func noneInDisguise(algorithm: String) throws {
        let token = Forge.token(#"{"alg":"\#(algorithm)"}"#, #"{"role":"admin"}"#) { _ in [] }
        #expect(throws: TokenFault.malformed) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("an empty or truncated signature does not hold", arguments: [0, 1, 16, 31])
    func truncatedSignature(length: Int) throws {
        let key = SymmetricKey(data: Array(Forge.secret.utf8))
        let token = Forge.token(#"{"alg":"HS256"}"#, #"{"role":"admin"}"#) { signed in
            Array(HMAC<SHA256>.authenticationCode(for: signed, using: key)).prefix(length).map { $0 }
        }
        #expect(throws: TokenFault.signatureInvalid) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("another secret's signature does not hold")
    func wrongKey() throws {
        let token = Forge.hmac(#"{"role":"admin"}"#, secret: "anotheranotheranotheranotherone!")
        #expect(throws: TokenFault.signatureInvalid) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("every changed byte of a token is noticed")
    func tampering() throws {
        let verifier = try Forge.verifier()
        let token = Array(Forge.hmac(#"{"role":"author"}"#).utf8)
        let original = String(decoding: token, as: UTF8.self)
        _ = try verifier.principal(forBearer: original[...])
        for position in token.indices {
            var changed = token
            changed[position] = changed[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let text = String(decoding: changed, as: UTF8.self)
            #expect(throws: TokenFault.self, "byte \(position)") {
                try verifier.principal(forBearer: text[...])
            }
        }
    }

    @Test("crit asks for what nobody here understands")
    func criticalHeader() throws {
        for crit in [#"["exp"]"#, "[]", "null"] {
            let token = Forge.hmac(#"{"role":"admin"}"#, header: #"{"alg":"HS256","crit":\#(crit)}"#)
            #expect(throws: TokenFault.malformed) { try Forge.verifier().principal(forBearer: token) }
        }
    }

    @Test("a key in the header is ignored, not trusted")
    func embeddedKey() throws {
        let header = #"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"},"jku":"http://127.0.0.1/keys"}"#
        let token = Forge.hmac(
            #"{"role":"admin"}"#, header: header, secret: String(repeating: "\0", count: 32))
        #expect(throws: TokenFault.signatureInvalid) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("a kid that no key has")
    func keyIDMismatch() throws {
        let k = Base64URL.encode(Array(Forge.secret.utf8))
        let jwks = #"{"keys":[{"kty":"oct","kid":"one","k":"\#(k)"}]}"#
        let verifier = try Forge.verifier(Forge.settings(secret: jwks))
        let other = Forge.hmac(#"{"role":"a"}"#, header: #"{"alg":"HS256","kid":"two"}"#)
        #expect(throws: TokenFault.noSuitableKey) { try verifier.principal(forBearer: other) }
        let number = Forge.hmac(#"{"role":"a"}"#, header: #"{"alg":"HS256","kid":1}"#)
        #expect(throws: TokenFault.malformed) { try verifier.principal(forBearer: number) }
        let right = Forge.hmac(#"{"role":"a"}"#, header: #"{"alg":"HS256","kid":"one"}"#)
        #expect(try verifier.principal(forBearer: right).role == "a")
        let unnamed = Forge.hmac(#"{"role":"a"}"#)
        #expect(try verifier.principal(forBearer: unnamed).role == "a")
        let plain = try Forge.verifier()
        #expect(throws: TokenFault.noSuitableKey) { try plain.principal(forBearer: right) }
    }

    @Test("oversized tokens are refused unread")
    func oversized() throws {
        let verifier = try Forge.verifier()
        let dots = String(repeating: ".", count: 8193)
        #expect(throws: TokenFault.tooLarge(limit: 8192)) { try verifier.principal(forBearer: dots[...]) }
        let filler = String(repeating: "x", count: 5900)
        let large = Forge.hmac(#"{"role":"a","x":"\#(filler)"}"#)
        #expect(large.utf8.count <= 8192)
        #expect(try verifier.principal(forBearer: large).role == "a")
    }

    @Test(
        "malformed parts",
        arguments: [
            ("a", TokenFault.unexpectedParts(1)), ("a.b", .unexpectedParts(2)),
            ("a.b.c.d", .unexpectedParts(4)),
            ("a.b.c.d.e", .unexpectedParts(5)), ("", .empty), ("..", .malformed), (" . . ", .malformed),
            // base64url: stray bits, padding, the other alphabet, a length that cannot be
            ("eyJhbGciOiJIUzI1NiJ9.e31.AA", .malformed), ("eyJhbGciOiJIUzI1NiJ9.e30=.AA", .malformed),
            ("eyJhbGciOiJIUzI1NiJ9.e30.+/+/", .malformed), ("eyJhbGciOiJIUzI1NiJ9.e.AA", .malformed),
            // a header that is an array, a text, nothing, two values
            ("W10.e30.AA", .malformed), ("IkhTMjU2Ig.e30.AA", .malformed), (".e30.AA", .malformed),
            ("e30.e30.AA", .malformed), ("e317fQ.e30.AA", .malformed),
        ])
    func malformed(token: String, fault: TokenFault) throws {
        #expect(throws: fault) { try Forge.verifier().principal(forBearer: token[...]) }
    }

    @Test("a repeated name in header or claims has no first and no last")
    func duplicateNames() throws {
        let verifier = try Forge.verifier()
        let header = Forge.hmac(#"{"role":"a"}"#, header: #"{"alg":"HS256","alg":"none"}"#)
        #expect(throws: TokenFault.malformed) { try verifier.principal(forBearer: header) }
        for payload in [
            #"{"role":"anon","role":"admin"}"#, #"{"role":"anon","\u0072ole":"admin"}"#,
            #"{"a":{"b":1,"b":2}}"#,
        ] {
            let token = Forge.hmac(payload)
            #expect(throws: TokenFault.claimsUnreadable) { try verifier.principal(forBearer: token) }
        }
    }

    @Test(
        "a payload that is not one JSON object",
        arguments: [
            "", "null", "[]", #""role""#, "1", "{", #"{"role":"a"}{}"#, #"{"role":"a",}"#, #"{role:"a"}"#,
            #"{"role":"a\#u{01}"}"#, #"{"role":"\ud800"}"#, #"{"n":01}"#, #"{"n":+1}"#, #"{"n":.5}"#,
            #"{"n":1.}"#,
            #"{"n":NaN}"#, "{\"role\":\"a\"}\u{0}",
        ])
    func claimsUnreadable(payload: String) throws {
        let token = Forge.hmac(payload)
        #expect(throws: TokenFault.claimsUnreadable) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("depth is bounded")
    func depth() throws {
        let payload = { (depth: Int) in
            #"{"role":"a","d":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                + "}"
        }
        let verifier = try Forge.verifier()
        #expect(try verifier.principal(forBearer: Forge.hmac(payload(31))).role == "a")
        #expect(throws: TokenFault.claimsUnreadable) {
            try verifier.principal(forBearer: Forge.hmac(payload(32)))
        }
        #expect(throws: TokenFault.claimsUnreadable) {
            try verifier.principal(forBearer: Forge.hmac(payload(2900)))
        }
    }

    @Test(
        "a role that SQL would read as something else",
        arguments: [#""none""#, #""""#, #""a\u0000b""#, "null", "[]"])
    func unusableRole(role: String) throws {
        let token = Forge.hmac(#"{"role":\#(role)}"#)
        #expect(throws: TokenFault.roleUnusable) { try Forge.verifier().principal(forBearer: token) }
    }

    @Test("neither faults nor settings show token or secret")
    func nothingLeaks() throws {
        let settings = Forge.settings()
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped] {
            #expect(!text.contains(Forge.secret) && !text.contains("114, 101, 97, 108"))
        }
        let token = Forge.hmac(#"{"role":"a"}"#, secret: "anotheranotheranotheranotherone!")
        let fault = #expect(throws: TokenFault.self) { try Forge.verifier().principal(forBearer: token) }
        #expect(!"\(try #require(fault)) \(try #require(fault).fault)".contains("eyJ"))
    }
}
