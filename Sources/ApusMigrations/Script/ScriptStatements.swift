extension ScriptStatement {
    /// Splits a script into its statements; those without a word (comments, a stray semicolon) are left out.
    ///
    /// A semicolon ends a statement outside parentheses (`CREATE RULE … DO (a; b)`) and outside the body of a
    /// function in SQL-standard form (`BEGIN ATOMIC … END`), as it does for psql.
    package static func statements(of script: String) -> [ScriptStatement] {
        var splitter = Splitter(script)
        return splitter.run()
    }
}

private struct Splitter {
    /// Enough to see `COPY t (a, b) FROM STDIN` and every kind of transaction control.
    private static let wordLimit = 24

    private let bytes: [UInt8]
    private var lexer: ScriptLexer
    private var statements: [ScriptStatement] = []

    /// Where line and column were counted up to.
    private var counted = 0
    private var position = ScriptPosition(line: 1, column: 1)

    // The statement that is being read.
    private var first: Int?
    private var end = 0
    private var words: [String] = []
    private var parentheses = 0
    private var atomicDepth = 0
    private var previousWord: String?

    init(_ script: String) {
        bytes = Array(script.utf8)
        lexer = ScriptLexer(bytes)
    }

    mutating func run() -> [ScriptStatement] {
        var start = lexer.index
        while let element = lexer.next() {
            switch element {
            case .space, .comment: break
            case .semicolon where parentheses == 0 && atomicDepth == 0: finish()
            default: read(element, from: start)
            }
            start = lexer.index
        }
        finish()
        return statements
    }

    private mutating func read(_ element: ScriptLexer.Element, from start: Int) {
        if first == nil { first = start }
        end = lexer.index
        switch element {
        case .open: parentheses += 1
        case .close: parentheses = max(0, parentheses - 1)
        case .word(let word): read(word)
        default: break
        }
        if case .word = element {} else { previousWord = nil }
    }

    private mutating func read(_ word: String) {
        if parentheses == 0, words.count < Self.wordLimit { words.append(word) }
        if atomicDepth > 0 {
            // Inside a body, CASE is the other thing that END ends.
            if word == "case" { atomicDepth += 1 }
            if word == "end" { atomicDepth -= 1 }
        } else if word == "atomic", previousWord == "begin", createsRoutine {
            atomicDepth = 1
        }
        previousWord = word
    }

    private var createsRoutine: Bool {
        guard words.first == "create" else { return false }
        let rest = words.dropFirst().drop { $0 == "or" || $0 == "replace" }
        return rest.first == "function" || rest.first == "procedure"
    }

    private mutating func finish() {
        if let first {
            position.advance(over: String(decoding: bytes[counted..<first], as: UTF8.self).unicodeScalars)
            let text = String(decoding: bytes[first..<end], as: UTF8.self)
            statements.append(ScriptStatement(text: text, start: position, words: words))
            position.advance(over: text.unicodeScalars)
            counted = end
        }
        first = nil
        words = []
        parentheses = 0
        atomicDepth = 0
        previousWord = nil
    }
}
