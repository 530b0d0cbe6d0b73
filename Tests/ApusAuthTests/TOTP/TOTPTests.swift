import ApusAuth
import Testing

@Suite struct TOTPTests {
    /// RFC 6238, appendix B, for SHA-1; the last six of its eight digits.
    @Test(
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Int64, String)])
    func codesOfTheStandard(time: Int64, code: String) {
        let totp = TOTP(secret: Array("12345678901234567890".utf8))
        #expect(totp.code(atStep: time / 30) == code)
        #expect(totp.step(of: code, at: time, after: nil) == time / 30)
    }

    @Test func clocksMayBeOffByOneStep() {
        let totp = TOTP.random()
        let code = totp.code(atStep: 1000)
        #expect(totp.step(of: code, at: 999 * 30 + 29, after: nil) == 1000)
        #expect(totp.step(of: code, at: 1001 * 30, after: nil) == 1000)
    }

    @Test func noCodeHoldsTwice() {
        let totp = TOTP(secret: Array("12345678901234567890".utf8))
        let code = totp.code(atStep: 1000)
        #expect(totp.step(of: code, at: 1000 * 30, after: 999) == 1000)
        #expect(totp.step(of: code, at: 1000 * 30, after: 1000) == nil)
        #expect(totp.step(of: code, at: 1001 * 30, after: 1001) == nil)
        // The RFC's secret has different codes in these steps, so nothing else can fit.
        #expect(totp.step(of: code, at: 1003 * 30, after: nil) == nil)
    }

    @Test func whatIsNoCode() {
        let totp = TOTP.random()
        for text in ["", "12345", "1234567", "abcdef", "12345６"] {
            #expect(totp.step(of: text, at: 1_000_000, after: nil) == nil)
        }
    }

    @Test func uriIsReadByApps() {
        let totp = TOTP(secret: Array("12345678901234567890".utf8))
        #expect(
            totp.uri(issuer: "Café: Nord", account: "ada+1@example.org")
                == "otpauth://totp/Caf%C3%A9%20%20Nord:ada%2B1%40example.org?algorithm=SHA1&digits=6"
                + "&issuer=Caf%C3%A9%20%20Nord&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    }

    /// RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"),
        ("foobar", "MZXW6YTBOI"),
    ])
    func base32(bytes: String, text: String) {
        #expect(Base32.encode(Array(bytes.utf8)) == text)
        #expect(Base32.decode(text.lowercased()) == Array(bytes.utf8))
    }

    @Test func base32RefusesStrayBits() {
        #expect(Base32.decode("MZ") == nil)
        #expect(Base32.decode("M1") == nil)
        #expect(Base32.decode("M") == nil)
    }
}

@Suite struct RecoveryCodeTests {
    @Test func codesAreReadAsPeopleTypeThem() throws {
        let codes = RecoveryCode.randomSet()
        #expect(codes.count == 10)
        #expect(Set(codes.map(\.text)).count == 10)
        for code in codes {
            let sloppy = code.text.uppercased().replacing("-", with: " ").replacing("0", with: "O").replacing(
                "1", with: "I")
            #expect(RecoveryCode(sloppy) == code)
            #expect(RecoveryCode(sloppy)?.digest(user: "u") == code.digest(user: "u"))
        }
    }

    @Test func digestsDifferByPerson() throws {
        let code = try #require(RecoveryCode("0123-4567-89ab-cdef"))
        #expect(code.digest(user: "a") != code.digest(user: "b"))
    }

    @Test(arguments: [
        "", "0123-4567-89ab-cde", "0123-4567-89ab-cdef0", "0123-4567-89ab-cdeü", "u123-4567-89ab-cdef",
    ])
    func whatIsNoCode(text: String) { #expect(RecoveryCode(text) == nil) }
}
