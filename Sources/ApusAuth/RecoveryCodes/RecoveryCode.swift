package import Crypto

/// A code for somebody who lost their authenticator: 80 random bits, good once.
///
/// 80 bits cannot be searched, so a keyed hash without stretching keeps them (NIST SP 800-63B-4 §3.1.2.2 asks for
/// stretching below 112 bits only where guessing is not limited otherwise; attempts here are).
package struct RecoveryCode: Sendable, Equatable {
    /// Codes of one set.
    package static let count = 10
    /// Without the letters that people take for digits (i, l, o, u): Crockford's base 32.
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let length = 16

    /// 16 characters, without the dashes.
    private let characters: [UInt8]

    /// A new set.
    package static func randomSet() -> [RecoveryCode] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in
            RecoveryCode(
                characters: (0..<length).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] })
        }
    }

    private init(characters: [UInt8]) { self.characters = characters }

    /// Reads what a person typed: case, spaces and dashes do not matter, and o, i and l are the digits they were
    /// taken for. nil when it cannot be a code.
    package init?(_ typed: String) {
        guard typed.utf8.count <= 64 else { return nil }
        var characters: [UInt8] = []
        for byte in typed.lowercased().utf8 {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            case UInt8(ascii: "o"): characters.append(UInt8(ascii: "0"))
            case UInt8(ascii: "i"), UInt8(ascii: "l"): characters.append(UInt8(ascii: "1"))
            default:
                guard Self.alphabet.contains(byte) else { return nil }
                characters.append(byte)
            }
        }
        guard characters.count == Self.length else { return nil }
        self.characters = characters
    }

    /// `0000-0000-0000-0000`, as it is shown, once.
    package var text: String {
        stride(from: 0, to: Self.length, by: 4)
            .map { String(decoding: characters[$0..<$0 + 4], as: UTF8.self) }.joined(separator: "-")
    }

    /// What is stored: HMAC-SHA-256 keyed by the user's id, so that equal codes of two people look different.
    ///
    /// - Parameter user: the id's lower-case text.
    package func digest(user: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: characters, using: SymmetricKey(data: Array(user.utf8))))
    }
}
