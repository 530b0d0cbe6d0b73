import ApusAuth
import ApusJSON
import Testing

@Suite struct FirebaseExportTests {
    private func scan(_ text: String, piece: Int = 7) throws -> [String] {
        var scanner = FirebaseExportScanner()
        var users: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            try scanner.scan(bytes[start..<min(bytes.count, start + piece)]) { found in
                #expect(Array(bytes[found.range]) == found.bytes)
                users.append(String(decoding: found.bytes, as: UTF8.self))
            }
        }
        try scanner.finish()
        return users
    }

    @Test(arguments: [1, 2, 7, 1000])
    func findsUsersInPieces(piece: Int) throws {
        let one = #"{"localId":"a","x":"}]\"{[","y":[{"z":1}]}"#
        let text =
            #"{"kind": "users, or [so", "n": {"users": 1}, "users": [\#(one), {"localId":"b"} ,{}], "more": []}"#
        #expect(try scan(text, piece: piece) == [one, #"{"localId":"b"}"#, "{}"])
    }

    @Test func takesAnArrayAndNothing() throws {
        #expect(try scan(#"[{"localId":"a"}]"#).count == 1)
        #expect(try scan(#"{"users":[]}"#).isEmpty)
    }

    @Test(
        arguments: [
            ("", .noUsers(at: 0)), ("localId,email", .noUsers(at: 0)), ("{}", .noUsers(at: 1)),
            (#"{"users":[{"localId":"a"},"#, .cutOff(at: 26)), (#"{"users":[1]}"#, .unexpected(at: 10)),
        ] as [(String, FirebaseExportScanner.Malformed)])
    func saysWhatIsWrong(text: String, fault: FirebaseExportScanner.Malformed) {
        #expect(throws: fault) { try scan(text) }
    }

    @Test func holdsOneUserAtATime() {
        var scanner = FirebaseExportScanner()
        #expect(throws: FirebaseExportScanner.Malformed.userTooLarge(at: 10)) {
            try scanner.scan(#"{"users":[{"a":""#.utf8) { _ in }
            for _ in 0..<2000 { try scanner.scan(repeatElement(0x61, count: 1000)) { _ in } }
        }
    }

    @Test func goesOnWhereItWas() throws {
        let text = #"{"users":[{"localId":"a"},{"localId":"b"},{"localId":"c"}]}"#
        var first = FirebaseExportScanner()
        var ends: [Int] = []
        try first.scan(text.utf8) { ends.append($0.range.upperBound) }
        var second = FirebaseExportScanner(resumingAt: ends[0])
        var users: [String] = []
        try second.scan(Array(text.utf8)[ends[0]...]) {
            users.append(String(decoding: $0.bytes, as: UTF8.self))
        }
        #expect(users == [#"{"localId":"b"}"#, #"{"localId":"c"}"#])
        #expect(second.isComplete)
    }

    /// Computed by Python: uuid.uuid5(uuid.NAMESPACE_URL, 'https://securetoken.google.com/demo/abc').
    @Test func idsAreVersionFive() {
        #expect(FirebaseUser.userID(project: "demo", uid: "abc") == "096e9cca-7765-5f35-b4eb-e21b8f981b10")
    }

    @Test func readsAUser() throws {
        let user = try FirebaseUser(
            Array(
                #"""
                {"localId":"u1","email":"Ada@Example.org","emailVerified":true,"passwordHash":"lSrf","salt":"42xE",
                "displayName":"Ada","phoneNumber":"+4917012345678","createdAt":"1500000000123","disabled":true,
                "customAttributes":"{\"admin\":true}","mfaInfo":[{"mfaEnrollmentId":"m"}],
                "providerUserInfo":[{"providerId":"google.com","rawId":"g1","email":"a@b.org"},{"providerId":"x"}]}
                """#.utf8))
        #expect(user.email == "Ada@Example.org")
        #expect(user.isDisabled && user.isEmailVerified && user.hasSecondFactor)
        #expect(user.createdAt == 1_500_000_000_123)
        #expect(user.links.map(\.subject) == ["g1"])
        #expect(user.claims["admin"] == .bool(true))
    }

    @Test(arguments: ["{}", #"{"localId":""}"#, #"{"localId":"a\u0000"}"#, "[", #"{"localId":1}"#])
    func whatIsNoUser(text: String) {
        #expect(throws: FirebaseUser.Unusable.self) { try FirebaseUser(Array(text.utf8)) }
    }
}

@Suite struct FirebaseHashParameterTests {
    private static let key =
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="

    @Test(arguments: [
        """
        hash_config {
          algorithm: SCRYPT,
          base64_signer_key: \(key),
          base64_salt_separator: Bw==,
          rounds: 8,
          mem_cost: 14,
        }
        """,
        #"""
        {"algorithm": "SCRYPT", "base64_signer_key": "\#(key)", "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": "14"}
        """#,
    ])
    func readsWhatTheConsoleShows(text: String) throws {
        let parameters = try FirebaseHashParameters.read(Array(text.utf8))
        #expect(parameters.signerKey.count == 64)
        #expect(parameters.saltSeparator == [7])
        #expect(parameters.rounds == 8 && parameters.memoryCost == 14)
    }

    @Test(
        arguments: [
            ("", .missing("algorithm")), ("algorithm: BCRYPT", .algorithm("BCRYPT")),
            ("algorithm: SCRYPT", .missing("base64_signer_key")),
            (
                "algorithm: SCRYPT\nbase64_signer_key: \(key)\nrounds: 8\nmem_cost: 40",
                .malformed("rounds, mem_cost")
            ),
        ] as [(String, FirebaseHashParameters.Unusable)])
    func saysWhatIsWrong(text: String, fault: FirebaseHashParameters.Unusable) {
        #expect(throws: fault) { try FirebaseHashParameters.read(Array(text.utf8)) }
    }
}
