/// Quoted-printable (RFC 2045 §6.7): any text in lines of at most 76 ASCII characters.
enum QuotedPrintable {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Lines are ended by CR LF, whatever ended them in `text`.
    static func encode(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            encode(line: Array(line.utf8.filter { $0 != 13 }))
        }
        return lines.joined(separator: "\r\n")
    }

    private static func encode(line: [UInt8]) -> String {
        var result: [UInt8] = []
        var width = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            // White space at the end of a line gets lost on the way; a dot at its start and "From " change there.
            let isPlain = (33...126).contains(byte) && byte != UInt8(ascii: "=") || isSpace(byte) && !isLast
            let piece =
                isPlain ? [byte] : [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            if width + piece.count > (isLast ? 76 : 75) {
                result += Array("=\r\n".utf8)
                width = 0
            }
            result += piece
            width += piece.count
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
