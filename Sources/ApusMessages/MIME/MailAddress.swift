/// Exactly one mail address, as it stands between `<` and `>` in SMTP (RFC 5321 §4.1.2, RFC 6531 §3.3).
///
/// Quoted local parts are refused: nobody's address needs them, and they are where two recipients hide in one
/// (`"a@evil.example,b"@victim.example`).
package struct MailAddress: Sendable, Equatable {
    package let text: String
    /// Whether a server must take SMTPUTF8 for it.
    package let needsUTF8: Bool

    /// - Returns: nil for what is not one address.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        // RFC 5321 §4.5.3.1: 64 octets before the @, 255 after it, 254 in all.
        guard parts.count == 2, text.utf8.count <= 254, (1...64).contains(parts[0].utf8.count),
            (1...255).contains(parts[1].utf8.count), Self.isDotAtom(parts[0]), Self.isDomain(parts[1])
        else { return nil }
        self.text = text
        needsUTF8 = text.utf8.contains { $0 >= 0x80 }
    }

    private static let specials = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isAtomByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x80...: true
        default: specials.contains(byte)
        }
    }

    private static func isDotAtom(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.utf8.allSatisfy(isAtomByte)
        } && isPrintable(text)
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                        || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-") || byte >= 0x80
                }
        } && isPrintable(text)
    }

    /// No control character and no white space beyond ASCII either.
    private static func isPrintable(_ text: Substring) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate,
                .unassigned, .privateUse:
                false
            default: true
            }
        }
    }
}
