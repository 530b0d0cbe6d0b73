/// Parts an SQL expression, as PostgreSQL prints it (`pg_get_expr`), into tokens.
struct ExpressionLexer {
    struct Token: Equatable {
        enum Kind: Equatable {
            /// An identifier or keyword without quotes, as it is written.
            case word(String)
            /// An identifier in quotes, without them.
            case quoted(String)
            case string
            case number
            /// An operator, or one of `( ) [ ] , . ::`.
            case symbol(String)
        }

        var kind: Kind
        /// In the text's bytes.
        var range: Range<Int>
    }

    /// What is no token of SQL.
    struct Failure: Error {}

    private let bytes: [UInt8]
    private var position = 0

    private init(_ text: String) { bytes = Array(text.utf8) }

    static func tokens(of text: String) throws(Failure) -> [Token] {
        var lexer = ExpressionLexer(text)
        var tokens: [Token] = []
        while let token = try lexer.next() { tokens.append(token) }
        return tokens
    }

    // MARK: - Non public

    private mutating func next() throws(Failure) -> Token? {
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
        guard position < bytes.count else { return nil }
        let start = position
        let kind = try kind(startingWith: bytes[position])
        return Token(kind: kind, range: start..<position)
    }

    private mutating func kind(startingWith byte: UInt8) throws(Failure) -> Token.Kind {
        switch byte {
        case UInt8(ascii: "'"):
            try skipQuoted(byte, escapes: false)
            return .string
        case UInt8(ascii: "\""):
            let start = position
            try skipQuoted(byte, escapes: false)
            return .quoted(text(start + 1..<position - 1).replacing("\"\"", with: "\""))
        case UInt8(ascii: "E") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "'"):
            position += 1
            try skipQuoted(UInt8(ascii: "'"), escapes: true)
            return .string
        case _ where Self.isDigit(byte):
            skip { Self.isDigit($0) || $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
            return .number
        case _ where Self.startsWord(byte):
            let start = position
            skip { Self.startsWord($0) || Self.isDigit($0) || $0 == UInt8(ascii: "$") }
            return .word(text(start..<position))
        case UInt8(ascii: ":") where position + 1 < bytes.count && bytes[position + 1] == byte:
            position += 2
            return .symbol("::")
        case _ where Self.isPunctuation(byte):
            position += 1
            return .symbol(String(UnicodeScalar(byte)))
        case _ where Self.isOperator(byte):
            let start = position
            skip(while: Self.isOperator)
            let symbol = text(start..<position)
            // Comments are not printed; whoever wrote one is not understood.
            if symbol.contains("--") || symbol.contains("/*") { throw Failure() }
            return .symbol(symbol)
        default: throw Failure()
        }
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while position < bytes.count, condition(bytes[position]) { position += 1 }
    }

    private mutating func skipQuoted(_ mark: UInt8, escapes: Bool) throws(Failure) {
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if escapes, byte == UInt8(ascii: "\\") {
                position += 1
            } else if byte == mark {
                guard position < bytes.count, bytes[position] == mark else { return }
                position += 1
            }
        }
        throw Failure()
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func startsWord(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte >= 0x80
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool { "()[],.;".utf8.contains(byte) }
    private static func isOperator(_ byte: UInt8) -> Bool { "+-*/<>=~!@#%^&|`?".utf8.contains(byte) }
}
