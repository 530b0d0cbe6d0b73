/// Finds out whether a function's text may change a setting: by `set_config`, by writing to `pg_settings`, or by the
/// commands `SET`, `RESET` and `DISCARD`, at the start of a statement or of a string that may become one.
///
/// Errs on the side of yes.
enum SettingChangeScan {
    static func mayChangeSettings(_ texts: [String]) -> Bool { texts.contains(where: mayChangeSettings) }

    static func mayChangeSettings(_ text: String) -> Bool {
        let bytes = text.utf8.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
        if bytes.firstRange(of: setter) != nil || bytes.firstRange(of: view) != nil { return true }
        var mayBegin = true
        var index = 0
        while index < bytes.count {
            if let end = endOfBlank(bytes, index) {
                index = end
                continue
            }
            guard isWordPart(bytes[index]) else {
                // A statement may begin after a semicolon, in a string, and after a label.
                mayBegin = separators.contains(bytes[index])
                index += 1
                continue
            }
            let word = bytes[index...].prefix(while: isWordPart)
            if mayBegin, commands.contains(where: word.elementsEqual) { return true }
            mayBegin = openers.contains(where: word.elementsEqual)
            index = word.endIndex
        }
        return false
    }

    private static let setter = Array("set_config".utf8)
    private static let view = Array("pg_settings".utf8)
    private static let commands = ["set", "reset", "discard"].map { Array($0.utf8) }
    /// Words after which a statement may begin.
    private static let openers = ["begin", "then", "else", "loop", "atomic", "execute"].map { Array($0.utf8) }
    private static let separators = Array(";'$>".utf8)

    /// The end of white space or of a comment that begins here; nil when none does.
    private static func endOfBlank(_ bytes: [UInt8], _ start: Int) -> Int? {
        let byte = bytes[start]
        if byte == 0x20 || byte >= 0x09 && byte <= 0x0D { return start + 1 }
        if bytes[start...].starts(with: "--".utf8) {
            return bytes[start...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
        }
        if bytes[start...].starts(with: "/*".utf8) {
            return bytes[(start + 2)...].firstRange(of: Array("*/".utf8))?.upperBound ?? bytes.count
        }
        return nil
    }

    private static func isWordPart(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
            || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte >= 0x80
    }
}
