import ApusPostgres
import Testing

@testable import ApusTokens

@Suite struct MintingTests {
    private func minter(_ settings: TokenSettings = Forge.settings()) throws -> TokenMinter {
        try TokenMinter(settings: settings, clock: { Forge.now })
    }

    @Test("what the minter makes, the verifier takes")
    func roundTrip() throws {
        let settings = Forge.settings(audience: "us")
        let token = try minter(settings).mint(
            role: "author", subject: "u\"1", claims: Array(#"{"app":{"n":1.0},"email":"a@b.c"}"#.utf8),
            lifetime: 60)
        let principal = try Forge.verifier(settings).principal(forBearer: token[...])
        #expect(principal.role == "author")
        #expect(
            String(decoding: principal.claims, as: UTF8.self)
                == #"{"iat":1700000000,"exp":1700000060,"role":"author","sub":"u\"1","aud":"us","#
                + #""app":{"n":1.0},"email":"a@b.c"}"#)
    }

    @Test("it ends when it should")
    func lifetime() throws {
        let token = try minter().mint(role: "a", lifetime: 60)
        let later = try TokenVerifier(settings: Forge.settings(), clock: { Forge.now + 91 })
        #expect(throws: TokenFault.expired) { try later.principal(forBearer: token[...]) }
        let endless = try minter().mint(role: "a", lifetime: nil)
        #expect(try later.principal(forBearer: endless[...]).role == "a")
        #expect(throws: TokenMintingFault.lifetimeTooLong) { try minter().mint(role: "a", lifetime: .max) }
    }

    @Test("further claims cannot replace what is set")
    func claims() throws {
        #expect(throws: TokenMintingFault.claimRepeated("role")) {
            try minter().mint(role: "a", claims: Array(#"{"role":"b"}"#.utf8))
        }
        #expect(throws: TokenMintingFault.claimsNotAnObject) {
            try minter().mint(role: "a", claims: Array("[]".utf8))
        }
    }

    @Test("a secret JWK signs with its kid; public keys do not sign")
    func keys() throws {
        let k = Base64URL.encode(Array(Forge.secret.utf8))
        let settings = Forge.settings(secret: #"{"kty":"oct","kid":"k1","k":"\#(k)"}"#)
        let token = try minter(settings).mint(role: "a")
        #expect(try Forge.verifier(settings).principal(forBearer: token[...]).role == "a")
        let bound = Forge.settings(secret: #"{"kty":"oct","alg":"HS512","k":"\#(k)"}"#)
        #expect(throws: TokenSettingsFault.self) { try minter(bound) }
        #expect(throws: TokenSettingsFault.self) { try minter(Forge.settings(secret: nil)) }
    }

    @Test("development secrets are long enough, and no two are alike")
    func developmentSecret() throws {
        let secrets = (0..<16).map { _ in DevelopmentSecret.generate() }
        #expect(Set(secrets).count == 16)
        for secret in secrets {
            #expect(Base64URL.decode(secret.utf8)?.count == 32)
            let settings = Forge.settings(secret: secret)
            let token = try minter(settings).mint(role: "a")
            #expect(try Forge.verifier(settings).principal(forBearer: token[...]).role == "a")
        }
    }

    @Test("base64url there and back, for every length")
    func base64() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text.utf8) == bytes)
            #expect(Base64URL.decode((text + "=").utf8) == nil)
        }
        #expect(
            Base64URL.encode(Array("foobar".utf8)) == "Zm9vYmFy" && Base64URL.encode([0xFB, 0xFF]) == "-_8")
    }
}
