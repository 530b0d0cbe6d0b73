import ApusAuth
import Testing

@Suite struct ImportedPasswordTests {
    /// The test vector that Google publishes with https://github.com/firebase/scrypt.
    private func vector() throws -> FirebaseScrypt {
        let key = try #require(
            Base64Text.decode(
                "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="))
        let parameters = try #require(
            FirebaseScrypt.Parameters(signerKey: key, saltSeparator: [0x07], rounds: 8, memoryCost: 14))
        let salt = try #require(Base64Text.decode("42xEC+ixf3L2lw=="))
        let hash = try #require(
            Base64Text.decode(
                "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="))
        return FirebaseScrypt(parameters: parameters, salt: salt, hash: hash)
    }

    @Test func firebasePublishedVector() throws {
        let vector = try vector()
        #expect(vector.verify(Array("user1password".utf8)))
        #expect(!vector.verify(Array("user2password".utf8)))
        #expect(!vector.verify([]))
    }

    @Test func textKeepsTheSignerKeyElsewhere() throws {
        let vector = try vector()
        let text = vector.text(keyID: "1")
        #expect(!text.contains(Base64Text.encode(vector.parameters.signerKey)))
        let read = FirebaseScrypt(text: text) { $0 == "1" ? vector.parameters.signerKey : nil }
        #expect(read == vector)
        #expect(FirebaseScrypt(text: text) { _ in nil } == nil)
    }

    @Test func textOfGoTrue() throws {
        let vector = try vector()
        let text =
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=\(Base64Text.encode(vector.parameters.signerKey))"
            + "$42xEC+ixf3L2lw==$\(Base64Text.encode(vector.hash))"
        #expect(FirebaseScrypt(text: text) { _ in nil } == vector)
    }

    /// Numbers that a stored text names are work that a sign-in makes.
    @Test(arguments: [
        "v=1,n=30,r=8,p=1,ss=Bw==,kid=1", "v=1,n=14,r=4096,p=1,ss=Bw==,kid=1",
        "v=2,n=14,r=8,p=1,ss=Bw==,kid=1", "v=1,n=14,n=1,r=8,p=1,ss=Bw==,kid=1",
    ])
    func textOutOfBounds(fields: String) {
        #expect(
            FirebaseScrypt(text: "$fbscrypt$\(fields)$AAAA$AAAA") { _ in Array(repeating: 1, count: 64) }
                == nil)
    }

    /// Made by PyCA's bcrypt.
    @Test func bcrypt() throws {
        let hash = try #require(BcryptHash("$2b$05$FNWSd0HmkD6pyBrjimSfnuKWnXSHGH9dr0Qb8ElOIj/zTHg8w/8bC"))
        #expect(hash.verify(Array("correct horse".utf8)))
        #expect(!hash.verify(Array("correct horsf".utf8)))
        #expect(!hash.verify(Array("correct horse\0".utf8)))
        #expect(!hash.verify(Array(repeating: 0x61, count: 73)))
    }

    @Test(arguments: [
        "", "$2b$05$", "$2b$31$FNWSd0HmkD6pyBrjimSfnuKWnXSHGH9dr0Qb8ElOIj/zTHg8w/8bC",
        "$6$05$$FNWSd0HmkD6pyBrjimSfnuKWnXSHGH9dr0Qb8ElOIj/zTHg8w/8bC",
        "$2x$05$FNWSd0HmkD6pyBrjimSfnuKWnXSHGH9dr0Qb8ElOIj/zTHg8w/8bC",
        "$2b$05$FNWSd0HmkD6pyBrjimSfnuKWnXSHGH9dr0Qb8ElOIj:zTHg8w/8bC",
    ])
    func whatIsNoBcryptHash(text: String) { #expect(BcryptHash(text) == nil) }
}
