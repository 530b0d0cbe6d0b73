import ApusAuth
import Crypto
import Testing

@Suite struct RefreshTokenTests {
    private let secret = SymmetricKey(data: Array(repeating: UInt8(7), count: 32))
    private let session = "0b1f9ad6-7f4e-4b7e-9a11-6f6dbb5b6f10"

    @Test(arguments: [0, 1, 127, 128, 300, 1_000_000, Int(Int32.max)])
    func `A token says its session and counter again`(counter: Int) {
        let token = RefreshToken(session: session, counter: counter)
        #expect(RefreshToken.read(token.text(secret), secret) == token)
    }

    @Test func `Another secret, a changed character and a cut token are refused`() {
        let text = RefreshToken(session: session, counter: 5).text(secret)
        let other = SymmetricKey(data: Array(repeating: UInt8(8), count: 32))
        #expect(RefreshToken.read(text, other) == nil)
        #expect(RefreshToken.read(String(text.dropLast()), secret) == nil)
        for index in text.indices {
            var changed = text
            changed.replaceSubrange(index...index, with: text[index] == "A" ? "B" : "A")
            #expect(RefreshToken.read(changed, secret) == nil)
        }
    }
}
