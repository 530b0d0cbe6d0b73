import ApusTokens
package import Crypto

/// A refresh token: which session, and how often it was exchanged before, authenticated.
///
/// `0x00 ‖ session (16) ‖ counter (varint) ‖ HMAC-SHA256 (16) ‖ checksum (4)` in base64url. The database holds the
/// session's counter and no token, so refreshing adds no rows; a forged token is refused before the database is asked.
package struct RefreshToken: Sendable, Equatable {
    /// UUID, lower case.
    package let session: String
    package let counter: Int

    package init(session: String, counter: Int) {
        self.session = session
        self.counter = counter
    }

    private static let version: UInt8 = 0
    private static let codeLength = 16
    private static let checksumLength = 4

    /// The token as text.
    package func text(_ secret: SymmetricKey) -> String {
        var bytes = [Self.version] + (UUIDText.bytes(session) ?? []) + Self.varint(counter)
        bytes += Self.code(bytes, secret)
        bytes += SHA256.hash(data: bytes).prefix(Self.checksumLength)
        return Base64URL.encode(bytes)
    }

    /// The token that a text is; nil for anything that was not made with this secret.
    package static func read(_ text: String, _ secret: SymmetricKey) -> RefreshToken? {
        guard text.utf8.count <= 128, let bytes = Base64URL.decode(text.utf8),
            bytes.count > 1 + 16 + codeLength + checksumLength, bytes[0] == version
        else { return nil }
        let checked = bytes.dropLast(checksumLength)
        guard SHA256.hash(data: checked).prefix(checksumLength).elementsEqual(bytes.suffix(checksumLength))
        else { return nil }
        let signed = Array(checked.dropLast(codeLength))
        guard ConstantTime.equal(code(signed, secret), Array(checked.suffix(codeLength))),
            let counter = varint(signed[17...])
        else { return nil }
        return RefreshToken(session: UUIDText.write(signed[1..<17]), counter: counter)
    }

    private static func code(_ bytes: [UInt8], _ secret: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: secret).prefix(codeLength))
    }

    private static func varint(_ number: Int) -> [UInt8] {
        var rest = UInt64(max(0, number))
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func varint(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard (1...9).contains(bytes.count), bytes.dropLast().allSatisfy({ $0 & 0x80 != 0 }),
            let last = bytes.last, last & 0x80 == 0
        else { return nil }
        return bytes.reversed().reduce(0) { $0 << 7 | Int($1 & 0x7F) }
    }
}
