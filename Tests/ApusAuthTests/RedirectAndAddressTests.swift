import ApusAuth
import Testing

@Suite struct RedirectPolicyTests {
    private let policy = RedirectPolicy(
        siteURL: "https://app.example.com",
        allowed: [
            "https://*.example.org/**", "https://example.net/in/*", "myapp://callback", "other://**",
            "http://127.0.0.1/cb",
        ])

    @Test(arguments: [
        "https://app.example.com/anything?x=1", "https://a.example.org/x/y/z", "https://example.net/in/side",
        "myapp://callback", "other://x/y", "http://127.0.0.1:49152/cb",
    ])
    func allowed(url: String) { #expect(policy.allowed(url) == url) }

    @Test(arguments: [
        "http://app.example.com/", "https://a.b.example.org/", "https://example.org/",
        "https://example.net/in/a/b",
        "https://example.net/in/../admin", "https://example.net/in/%2e%2e", "myapp://callback/x",
        "myapp:callback",
        "https://app.example.com@evil.example/", "https://evil.example/#@app.example.com",
        "https://app.example.com\\.evil.example", "https://app.example.com\t.evil.example",
        "https://appexample.com",
        "https://xn--pp-eka.example.com.evil/", "https://äpp.example.com/", "http://0x7f.0.0.1/cb",
        "http://127.1/cb",
        "http://0177.0.0.1/cb", "javascript://a.example.org/%0aalert(1)", "https:app.example.com",
        "https:///x", "",
    ])
    func refused(url: String) { #expect(policy.allowed(url) == "https://app.example.com") }
}

@Suite struct AddressTests {
    @Test func emailsAreBroughtIntoOneForm() {
        #expect(EmailAddress.read("Ada@Example.COM") == "ada@example.com")
        #expect(EmailAddress.read("o'neil+tag@sub.example.com") == "o'neil+tag@sub.example.com")
        for text in [
            "", "a", "a@b", "a@b..c", ".a@b.c", "a..b@b.c", "a@b.c,d@e.f", "a b@c.d", "a@-b.c", "a\u{0}@b.c",
        ] {
            #expect(EmailAddress.read(text) == nil, "\(text)")
        }
    }

    @Test func numbersAreDigits() {
        #expect(PhoneNumber.read("+49 (30) 123-4567") == "49301234567")
        for text in ["", "123", "+0123456789", "12345678901234567", "1234567x"] {
            #expect(PhoneNumber.read(text) == nil)
        }
    }

    @Test func aSubscriberIsAnAddressOrASixtyFour() {
        #expect(NetworkAddress("192.0.2.7").subscriber == "192.0.2.7")
        #expect(NetworkAddress("::ffff:192.0.2.7").subscriber == "192.0.2.7")
        #expect(
            NetworkAddress("2001:db8::1").subscriber == NetworkAddress("2001:db8:0:0:ffff::2").subscriber)
        #expect(NetworkAddress("192.0.2.7").truncated == "192.0.2.0/24")
        #expect(NetworkAddress("nonsense").subscriber == "")
    }
}

@Suite struct MasterKeyTests {
    @Test func `A value opens with its key in its place, and nowhere else`() throws {
        let old = Array(repeating: UInt8(1), count: 32)
        let new = Array(repeating: UInt8(2), count: 32)
        let before = try #require(MasterKeys([old]))
        let sealed = try before.seal([1, 2, 3], context: "here")
        #expect(try before.open(sealed, context: "here") == [1, 2, 3])
        #expect(throws: MasterKeys.CannotOpen.self) { try before.open(sealed, context: "there") }
        #expect(throws: MasterKeys.CannotOpen.self) {
            try #require(MasterKeys([new])).open(sealed, context: "here")
        }
        let both = try #require(MasterKeys([new, old]))
        #expect(try both.open(sealed, context: "here") == [1, 2, 3])
        #expect(!both.isCurrent(sealed))
        #expect(MasterKeys([[1, 2, 3]]) == nil)
    }
}

@Suite struct PasswordTests {
    private let hasher = PasswordHasher(
        cost: .init(memory: 64, passes: 1, lanes: 1), workers: 1, waitingLimit: 10)

    @Test func `A hash holds for its password, and for nobody without one`() async throws {
        let hash = try await hasher.hash("right")
        #expect(hash.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        #expect(try await hasher.verify("right", against: hash))
        #expect(try await !hasher.verify("wrong", against: hash))
        #expect(try await !hasher.verify("right", against: nil))
    }

    /// The vector of the reference implementation's tests (argon2id, version 0x13, t=2, m=65536, p=1).
    @Test func `The reference's own vector holds`() async throws {
        let known =
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        #expect(try await hasher.verify("password", against: known))
        #expect(!hasher.isOutdated(known))
    }

    /// Made by the reference implementation; those with one lane and sixteen bytes of salt are checked by another one.
    @Test(arguments: [
        (
            "a horse of another colour",
            "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$71DGkcvhWO2rFzYWOs9KDpJEaBg8FwErepypPt0c8LY"
        ),
        ("", "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$hbJ1ohlLKVU4J4P1p07fhg"),
        (
            "p\u{e4}ssw\u{f6}rd",
            "$argon2id$v=19$m=1024,t=3,p=1$AAECAwQFBgcICQoLDA0ODw$3y8xgRglGXNIGBC7EQEuyhOFgI7uwRhbMtjmBa5lUDJleSD6HN4h"
                + "5tAjalAHW/zsmOtmgrQo+hVHekWDVb+CBA"
        ),
        (
            "lanes",
            "$argon2id$v=19$m=256,t=2,p=4$MDEyMzQ1Njc4OWFiY2RlZg$UyPpUpHU9XUqokS0ZC+fivPUfDlAwmiThZIHNzWjXKA"
        ),
    ])
    func `Hashes of the reference implementation hold`(password: String, known: String) async throws {
        #expect(try await hasher.verify(password, against: known))
        #expect(try await !hasher.verify(password + " ", against: known))
    }

    @Test func `A hash that would cost too much is not tried`() async throws {
        let greedy =
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        #expect(try await !hasher.verify("password", against: greedy))
    }

    @Test func weakPasswords() {
        let policy = PasswordPolicy()
        for weak in [
            "password", "Password123!", "qwertyuiop", "12345678", "abcdefgh", "short", "ada.lovelace",
        ] {
            #expect(throws: AuthFault.self, "\(weak)") { try policy.check(weak, context: ["ada.lovelace"]) }
        }
        #expect(throws: Never.self) { try policy.check("a horse of another colour") }
    }
}
