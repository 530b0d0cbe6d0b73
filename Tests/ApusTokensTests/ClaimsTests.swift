import ApusPostgres
import Testing

@testable import ApusTokens

/// Times, audience and role: what the claims decide.
@Suite struct ClaimsTests {
    private func role(_ payload: String, _ settings: TokenSettings = Forge.settings()) throws -> String {
        try Forge.verifier(settings).principal(forBearer: Forge.hmac(payload)).role
    }

    private func claims(_ payload: String, _ settings: TokenSettings = Forge.settings()) throws -> String {
        let principal = try Forge.verifier(settings).principal(forBearer: Forge.hmac(payload))
        return String(decoding: principal.claims, as: UTF8.self)
    }

    // MARK: - Times

    @Test("thirty seconds of difference between clocks are allowed, thirty-one are not")
    func skew() throws {
        let now = Forge.now
        for payload in [#"{"exp":\#(now - 30)}"#, #"{"nbf":\#(now + 30)}"#, #"{"iat":\#(now + 30)}"#] {
            #expect(try role(payload) == "anon")
        }
        #expect(throws: TokenFault.expired) { try role(#"{"exp":\#(now - 31)}"#) }
        #expect(throws: TokenFault.notYetValid) { try role(#"{"nbf":\#(now + 31)}"#) }
        #expect(throws: TokenFault.issuedInFuture) { try role(#"{"iat":\#(now + 31)}"#) }
    }

    @Test(
        "numbers beyond reason neither crash nor let anybody in",
        arguments: [
            "1e400", "-1e400", "1e19", "-1e19", "99999999999999999999999999", "-99999999999999999999999999",
        ])
    func hugeTimes(number: String) throws {
        #expect(throws: TokenFault.expired) { try role(#"{"exp":\#(number)}"#) }
        #expect(throws: TokenFault.notYetValid) { try role(#"{"nbf":\#(number)}"#) }
        #expect(throws: TokenFault.issuedInFuture) { try role(#"{"iat":\#(number)}"#) }
    }

    @Test("the ends of 64 bits and fractions are ordinary numbers")
    func edgeTimes() throws {
        #expect(try role(#"{"exp":9223372036854775807}"#) == "anon")
        #expect(throws: TokenFault.expired) { try role(#"{"exp":-9223372036854775808}"#) }
        #expect(try role(#"{"nbf":-9223372036854775808,"iat":-9223372036854775808}"#) == "anon")
        #expect(try role(#"{"exp":\#(Forge.now).75,"iat":1.7e9}"#) == "anon")
        #expect(throws: TokenFault.expired) { try role(#"{"exp":\#(Forge.now - 32).9}"#) }
    }

    @Test("times must be numbers; null asks for nothing")
    func wrongTypes() throws {
        #expect(throws: TokenFault.expirationNotNumber) { try role(#"{"exp":"9999999999"}"#) }
        #expect(throws: TokenFault.notBeforeNotNumber) { try role(#"{"nbf":"1"}"#) }
        #expect(throws: TokenFault.issuedAtNotNumber) { try role(#"{"iat":true}"#) }
        #expect(try role(#"{"exp":null,"nbf":null,"iat":null,"aud":null}"#) == "anon")
    }

    @Test("the first that fails in the order exp, nbf, iat, aud is the answer")
    func order() throws {
        let settings = Forge.settings(audience: "us")
        #expect(throws: TokenFault.expired) {
            try role(#"{"aud":"them","iat":"x","nbf":"x","exp":1}"#, settings)
        }
        #expect(throws: TokenFault.notBeforeNotNumber) {
            try role(#"{"aud":"them","iat":"x","nbf":"x"}"#, settings)
        }
        #expect(throws: TokenFault.issuedAtNotNumber) { try role(#"{"aud":"them","iat":"x"}"#, settings) }
        #expect(throws: TokenFault.notInAudience) { try role(#"{"aud":"them"}"#, settings) }
    }

    // MARK: - Audience

    @Test(arguments: [#""us""#, #"["us"]"#, #"["them","us"]"#, "[]", "null"])
    func inAudience(audience: String) throws {
        #expect(try role(#"{"role":"a","aud":\#(audience)}"#, Forge.settings(audience: "us")) == "a")
    }

    @Test(arguments: [#""them""#, #""""#, #"["them"]"#, #"["them","those"]"#, #""US""#, #""us ""#])
    func notInAudience(audience: String) throws {
        #expect(throws: TokenFault.notInAudience) {
            try role(#"{"role":"a","aud":\#(audience)}"#, Forge.settings(audience: "us"))
        }
        #expect(try role(#"{"role":"a","aud":\#(audience)}"#) == "a")
    }

    @Test(
        "an audience is text, whether or not one is asked for", arguments: ["1", "{}", #"["us",1]"#, "false"])
    func audienceOfAnotherType(audience: String) throws {
        for settings in [Forge.settings(), Forge.settings(audience: "us")] {
            #expect(throws: TokenFault.audienceNotText) { try role(#"{"aud":\#(audience)}"#, settings) }
        }
    }

    // MARK: - Role

    @Test(
        "the role is found where the setting says",
        arguments: [
            ("$.role", #"{"role":"a"}"#, "a"), (".role", #"{"role":"a"}"#, "a"),
            ("$.p.roles[1]", #"{"p":{"roles":["x","a"]}}"#, "a"),
            ("$.p.roles[-1]", #"{"p":{"roles":["x","a"]}}"#, "a"),
            (".realm_access.roles[0]", #"{"realm_access":{"roles":["a"]}}"#, "a"),
            ("$['https://x.y/role'].key", #"{"https://x.y/role":{"key":"a"}}"#, "a"),
            (#"."https://x.y/role".key"#, #"{"https://x.y/role":{"key":"a"}}"#, "a"),
            ("$.roles[?(@ == 'b')]", #"{"roles":["a","b"]}"#, "b"),
            ("$.roles[?@ != 'a']", #"{"roles":["a","b"]}"#, "b"),
            ("$.roles[?search(@, '^au')]", #"{"roles":["x","author"]}"#, "author"),
            ("$.roles[?(@.on == true)].name", #"{"roles":[{"name":"a"},{"name":"b","on":true}]}"#, "b"),
            ("$.roles[*]", #"{"roles":["a","b"]}"#, "a"), ("$.*", #"{"x":"a"}"#, "a"),
            (#".roles[?(@ == "b")]"#, #"{"roles":["a","b"]}"#, "b"),
            (#".roles[?(@ != "a")]"#, #"{"roles":[1,"a","b"]}"#, "b"),
            (#".roles[?(@ ^== "app_")]"#, #"{"roles":["x","app_b"]}"#, "app_b"),
            (#".roles[?(@ ==^ "_app")]"#, #"{"roles":["x","b_app"]}"#, "b_app"),
            (#".roles[?(@ *== "pp")]"#, #"{"roles":["x","my_app_b"]}"#, "my_app_b"),
            // nothing there: the anonymous role
            ("$.roles[7]", #"{"roles":["a"]}"#, "anon"), ("$.role.x", #"{"role":"a"}"#, "anon"),
            (#".roles[?(@ == "z")]"#, #"{"roles":["a"]}"#, "anon"),
        ])
    func rolePath(path: String, payload: String, expected: String) throws {
        #expect(try role(payload, Forge.settings(roleClaimKey: path)) == expected)
    }

    @Test(
        "a path that cannot be read is a fault of the settings",
        arguments: [
            "", "role", ".", "$.", "$role", ".a[", ".a[x]", ".a[1", "$.a[?]", "$.a[?search(@, '(')]", "$['a]",
            #".a[?(@ == "b")].c"#, ".a[?(@ == 'b')]", ".a[-1]", "$..a", "$.a[0:1]",
        ])
    func unreadablePath(path: String) {
        let fault = #expect(throws: TokenSettingsFault.self) {
            try Forge.verifier(Forge.settings(roleClaimKey: path))
        }
        #expect(fault?.setting == "jwt-role-claim-key")
    }

    @Test("claims pass as they were written, with the resolved role")
    func claimsText() throws {
        #expect(try claims(#"{ "n": 1.50, "role":"a" }"#) == #"{ "n": 1.50, "role":"a" }"#)
        #expect(try claims("{}") == #"{"role":"anon"}"#)
        #expect(try claims(#" {"sub":"x"}"#) == #" {"role":"anon","sub":"x"}"#)
        let nested = Forge.settings(roleClaimKey: "$.app.role")
        #expect(
            try claims(#"{"role": {"x":1} ,"app":{"role":"q\"\n"}}"#, nested)
                == #"{"role": "q\"\n" ,"app":{"role":"q\"\n"}}"#)
    }

    @Test("without token the anonymous principal, always the same; without such a role a fault")
    func anonymous() throws {
        let verifier = try Forge.verifier()
        let principal = try verifier.principal(forBearer: nil)
        #expect(principal.role == "anon" && principal === verifier.anonymous)
        #expect(String(decoding: principal.claims, as: UTF8.self) == #"{"role":"anon"}"#)
        let strict = try Forge.verifier(Forge.settings(anonymousRole: nil))
        #expect(throws: TokenFault.tokenRequired) { try strict.principal(forBearer: nil) }
        #expect(throws: TokenFault.tokenRequired) { try strict.principal(forBearer: Forge.hmac("{}")) }
    }

    @Test("empty settings are unset settings; none is nobody's anonymous role")
    func emptySettings() throws {
        let empty = try Forge.verifier(Forge.settings(audience: "", anonymousRole: ""))
        #expect(throws: TokenFault.tokenRequired) { try empty.principal(forBearer: nil) }
        #expect(try empty.principal(forBearer: Forge.hmac(#"{"role":"a","aud":"any"}"#)).role == "a")
        #expect(throws: TokenSettingsFault.self) { try Forge.verifier(Forge.settings(anonymousRole: "none")) }
    }
}
