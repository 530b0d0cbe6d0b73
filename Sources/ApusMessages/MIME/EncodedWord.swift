/// Text beyond ASCII in header fields (RFC 2047).
enum EncodedWord {
    /// For `Subject`: as it is where it is short and printable ASCII, else in encoded words. Line breaks are gone
    /// either way, so a value cannot begin a field of its own.
    static func unstructured(_ text: String) -> String {
        let clean = oneLine(text)
        let isPlain =
            clean.utf8.allSatisfy { (0x20...0x7E).contains($0) } && clean.utf8.count <= 900
            && !clean.contains("=?")
        return isPlain ? folded(clean) : encode(clean)
    }

    /// For a name beside an address: quoted where it is ASCII, else in encoded words.
    static func phrase(_ text: String) -> String {
        let clean = oneLine(text)
        guard clean.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !clean.contains("=?") else {
            return encode(clean)
        }
        return "\"" + clean.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    // MARK: - Non public

    private static func oneLine(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(400) {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            result.append(isControl ? " " : scalar)
        }
        return String(result)
    }

    /// Words of at most 75 characters, each whole characters (§2, §5), on lines of their own.
    private static func encode(_ text: String) -> String {
        var words: [String] = []
        var piece: [UInt8] = []
        for character in text {
            let bytes = Array(String(character).utf8)
            // 45 bytes are 60 characters of base64, and the frame is twelve.
            if piece.count + bytes.count > 45, !piece.isEmpty {
                words.append("=?utf-8?B?\(Base64.encode(piece))?=")
                piece = []
            }
            piece += bytes.prefix(45)
        }
        if !piece.isEmpty { words.append("=?utf-8?B?\(Base64.encode(piece))?=") }
        return words.joined(separator: "\r\n ")
    }

    /// Breaks before a space, so that no line is longer than 78 characters where it has spaces (RFC 5322 §2.2.3).
    private static func folded(_ text: String) -> String {
        var result = ""
        var width = 12
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let isFirst = result.isEmpty
            if !isFirst, width + word.count + 1 > 76, !word.isEmpty {
                result += "\r\n"
                width = 0
            }
            result += isFirst ? String(word) : " " + word
            width += word.count + 1
        }
        return result
    }
}
