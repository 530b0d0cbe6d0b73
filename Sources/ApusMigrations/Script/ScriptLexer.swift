/// Finds where the lexical elements of SQL end (PostgreSQL, "Lexical Structure"), so that a semicolon inside a
/// string, a comment or a quoted body is not taken for the end of a statement.
///
/// Assumes `standard_conforming_strings = on`. An element that is not closed reaches to the end of the script;
/// the server then says what is wrong with it.
struct ScriptLexer {
    enum Element: Equatable {
        case space
        case comment
        /// An unquoted word, in lower case.
        case word(String)
        /// A quoted string or identifier, or a dollar-quoted body.
        case quoted
        case semicolon
        case open
        case close
        /// Any other character, or a number.
        case other
    }

    private let bytes: [UInt8]
    /// Index of the first byte that is not read yet.
    private(set) var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next element; nil at the end.
    mutating func next() -> Element? {
        guard let byte = peek() else { return nil }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C:
            index += 1
            return .space
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"): return lineComment()
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): return blockComment()
        case UInt8(ascii: "'"): return string(escapes: false)
        case UInt8(ascii: "\""): return quotedIdentifier()
        case UInt8(ascii: "$"): return dollarQuote()
        case UInt8(ascii: ";"): return single(.semicolon)
        case UInt8(ascii: "("): return single(.open)
        case UInt8(ascii: ")"): return single(.close)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        default: return Self.startsWord(byte) ? word() : single(.other)
        }
    }

    // MARK: - Non public

    private func peek(_ distance: Int = 0) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    private mutating func single(_ element: Element) -> Element {
        index += 1
        return element
    }

    private mutating func lineComment() -> Element {
        while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { index += 1 }
        return .comment
    }

    /// Block comments nest.
    private mutating func blockComment() -> Element {
        var depth = 0
        repeat {
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                index += 2
            } else {
                index += 1
            }
        } while depth > 0 && index < bytes.count
        return .comment
    }

    /// From the opening quote. With `escapes`, as in `E'…'`, a backslash takes the next character with it; such
    /// a string may go on after a line break with another quote.
    private mutating func string(escapes: Bool) -> Element {
        index += 1
        while let byte = peek() {
            index += 1
            if byte == UInt8(ascii: "\\"), escapes {
                index = min(index + 1, bytes.count)
            } else if byte == UInt8(ascii: "'") {
                if peek() == UInt8(ascii: "'") {
                    index += 1
                } else if escapes, let next = continuation() {
                    index = next + 1
                } else {
                    return .quoted
                }
            }
        }
        return .quoted
    }

    /// Index of the quote that continues a string after white space with a line break in it.
    private func continuation() -> Int? {
        var ahead = index
        var hasBreak = false
        while ahead < bytes.count {
            switch bytes[ahead] {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): hasBreak = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), 0x0B, 0x0C: break
            case UInt8(ascii: "'"): return hasBreak ? ahead : nil
            default: return nil
            }
            ahead += 1
        }
        return nil
    }

    private mutating func quotedIdentifier() -> Element {
        index += 1
        while let byte = peek() {
            index += 1
            guard byte == UInt8(ascii: "\"") else { continue }
            if peek() != UInt8(ascii: "\"") { return .quoted }
            index += 1
        }
        return .quoted
    }

    /// `$$…$$` and `$tag$…$tag$`; a parameter like `$1` is no quote, for a tag does not start with a digit.
    private mutating func dollarQuote() -> Element {
        var ahead = index + 1
        while ahead < bytes.count, Self.continuesWord(bytes[ahead]), bytes[ahead] != UInt8(ascii: "$") {
            ahead += 1
        }
        let hasTag = ahead > index + 1
        guard ahead < bytes.count, bytes[ahead] == UInt8(ascii: "$"),
            !hasTag || Self.startsWord(bytes[index + 1])
        else { return single(.other) }
        let tag = bytes[index...ahead]
        index = ahead + 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "$"), bytes[index...].starts(with: tag) {
                index += tag.count
                return .quoted
            }
            index += 1
        }
        return .quoted
    }

    /// A number with whatever clings to it, so that the `e` of `1e5` is no word.
    private mutating func number() -> Element {
        while let byte = peek(), Self.continuesWord(byte), byte != UInt8(ascii: "$") { index += 1 }
        return .other
    }

    private mutating func word() -> Element {
        let start = index
        while let byte = peek(), Self.continuesWord(byte) { index += 1 }
        let text = bytes[start..<index]
        if text.count == 1, text.first.map({ $0 | 0x20 }) == UInt8(ascii: "e"), peek() == UInt8(ascii: "'") {
            return string(escapes: true)
        }
        return .word(String(decoding: text, as: UTF8.self).lowercased())
    }

    private static func startsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            0x80...:
            true
        default: false
        }
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        startsWord(byte) || byte == UInt8(ascii: "$")
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
