/// Reads an expression as PostgreSQL prints it: names qualified, every operation in parentheses.
///
/// Knows the grammar only as far as policies of common form need it. Whatever else it meets makes a
/// ``PolicyExpression/opaque`` of the smallest part around it, or fails as a whole: never a guess.
struct ExpressionParser {
    /// It is not understood.
    struct Failure: Error {}

    private let text: [UInt8]
    private let tokens: [ExpressionLexer.Token]
    private let columns: Set<String>
    private let table: String
    private var position = 0
    private var depth = 0

    /// Deeper nesting is left to PostgreSQL.
    private static let deepest = 64

    /// - Parameters:
    ///   - columns: names of the table's columns.
    ///   - table: its name, by which subqueries mean its columns.
    static func parse(
        _ text: String, columns: Set<String>, table: String
    ) throws -> PolicyExpression {
        var parser = ExpressionParser(
            text: Array(text.utf8), tokens: try ExpressionLexer.tokens(of: text), columns: columns,
            table: table)
        let expression = try parser.expression()
        guard parser.position == parser.tokens.count else { throw Failure() }
        return expression
    }

    private init(
        text: [UInt8], tokens: [ExpressionLexer.Token], columns: Set<String>, table: String
    ) {
        self.text = text
        self.tokens = tokens
        self.columns = columns
        self.table = table
    }

    // MARK: - Grammar

    private mutating func expression() throws(Failure) -> PolicyExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw Failure() }
        let start = position
        let whole: PolicyExpression
        if takeWord("NOT") {
            whole = .not(try expression())
        } else {
            let left = try operand()
            if isWord("AND") {
                whole = .and(try list("AND", first: left))
            } else if isWord("OR") {
                whole = .or(try list("OR", first: left))
            } else {
                whole = try operation(left)
            }
        }
        return constantOr(whole, from: start)
    }

    private mutating func list(
        _ word: String, first: PolicyExpression
    ) throws(Failure) -> [PolicyExpression] {
        var items = [first]
        while takeWord(word) { items.append(takeWord("NOT") ? .not(try operand()) : try operand()) }
        return items
    }

    /// What may follow a first operand, within the same parentheses.
    private mutating func operation(_ left: PolicyExpression) throws(Failure) -> PolicyExpression {
        if takeWord("IS") { return try test(left) }
        if isWord("IN") || isWord("NOT") {
            let isNegated = takeWord("NOT")
            guard takeWord("IN") else { throw Failure() }
            let query = try parenthesised()
            let member = PolicyExpression.quantified(left, "=", .any, query)
            return isNegated ? .not(member) : member
        }
        guard case .symbol(let symbol)? = current?.kind, Self.isOperator(symbol) else { return left }
        position += 1
        if isWord("ANY") || isWord("ALL") {
            let quantifier: PolicyExpression.Quantifier = takeWord("ANY") ? .any : .all
            if quantifier == .all { position += 1 }
            return .quantified(left, symbol, quantifier, try parenthesised())
        }
        let right = try operand()
        return .compare(left, symbol, right)
    }

    private mutating func test(_ left: PolicyExpression) throws(Failure) -> PolicyExpression {
        let isNegated = takeWord("NOT")
        if takeWord("NULL") { return .isNull(left, isNegated: isNegated) }
        if takeWord("DISTINCT") {
            guard takeWord("FROM") else { throw Failure() }
            return .isDistinct(left, try operand(), isNegated: isNegated)
        }
        for word in ["TRUE", "FALSE", "UNKNOWN"] where takeWord(word) {
            return .truthTest(left, word, isNegated: isNegated)
        }
        throw Failure()
    }

    /// A primary with its casts and subscripts.
    private mutating func operand() throws(Failure) -> PolicyExpression {
        let start = position
        if case .symbol("-")? = current?.kind { position += 1 }
        var value = try primary()
        while case .symbol(let symbol)? = current?.kind {
            if symbol == "::" {
                position += 1
                value = .cast(value, to: try typeName())
            } else if symbol == "[" {
                try skipBrackets("[", "]")
                value = .opaque
            } else {
                break
            }
        }
        if isWord("COLLATE") {
            position += 2
            value = .opaque
        }
        return constantOr(value, from: start)
    }

    private mutating func primary() throws(Failure) -> PolicyExpression {
        guard let token = current else { throw Failure() }
        switch token.kind {
        case .string, .number:
            position += 1
            return .opaque
        case .symbol("("):
            return try parenthesised()
        case .quoted(let name):
            position += 1
            return try named(name)
        case .word("EXISTS"):
            position += 1
            guard case .query(let text) = try parenthesised() else { throw Failure() }
            return .exists(text)
        case .word("ARRAY"), .word("ROW"):
            position += 1
            if case .symbol("[")? = current?.kind {
                try skipBrackets("[", "]")
            } else {
                try skipBrackets("(", ")")
            }
            return .opaque
        case .word("CASE"):
            try skipCase()
            return .opaque
        case .word(let name):
            position += 1
            return try named(name)
        default: throw Failure()
        }
    }

    /// A column, a keyword that is a value, or a call.
    private mutating func named(_ name: String) throws(Failure) -> PolicyExpression {
        var isQualified = false
        while case .symbol(".")? = current?.kind {
            isQualified = true
            position += 2
        }
        if case .symbol("(")? = current?.kind {
            try skipBrackets("(", ")")
            return .opaque
        }
        return !isQualified && columns.contains(name) ? .column(name) : .opaque
    }

    /// An expression or a query in parentheses.
    private mutating func parenthesised() throws(Failure) -> PolicyExpression {
        let start = position
        guard case .symbol("(")? = current?.kind else { throw Failure() }
        if case .word("SELECT")? = tokens[safe: position + 1]?.kind {
            try skipBrackets("(", ")")
            return .query(text(start + 1..<position - 1))
        }
        position += 1
        guard let inner = try? expression(), case .symbol(")")? = current?.kind else {
            position = start
            try skipBrackets("(", ")")
            return .opaque
        }
        position += 1
        return inner
    }

    // MARK: - Non public

    /// A part that names no column, whatever its form, is a constant. A query stays one: whether it gives one value
    /// or rows is for what stands around it.
    private func constantOr(_ expression: PolicyExpression, from start: Int) -> PolicyExpression {
        if case .query = expression { return expression }
        return Self.mentions(tokens[start..<position], columns, table)
            ? expression : .constant(text(start..<position))
    }

    /// Whether one of the tokens may mean a column of the table: a name of one outside of a query, or the table's name
    /// before a dot anywhere.
    static func mentions(
        _ tokens: ArraySlice<ExpressionLexer.Token>, _ columns: Set<String>, _ table: String
    ) -> Bool {
        var queries: [Int] = []
        var depth = 0
        for index in tokens.indices {
            let next = index + 1 < tokens.endIndex ? tokens[index + 1].kind : nil
            switch tokens[index].kind {
            case .symbol("("):
                depth += 1
                if next == .word("SELECT") { queries.append(depth) }
            case .symbol(")"):
                if queries.last == depth { queries.removeLast() }
                depth -= 1
            case .word(let name), .quoted(let name):
                if name == table, next == .symbol(".") { return true }
                if queries.isEmpty, columns.contains(name) {
                    let previous = index > tokens.startIndex ? tokens[index - 1].kind : nil
                    if previous != .symbol(".") && previous != .symbol("::") && next != .symbol("(") {
                        return true
                    }
                }
            default: break
            }
        }
        return false
    }

    private var current: ExpressionLexer.Token? { tokens[safe: position] }

    private func isWord(_ word: String) -> Bool { current?.kind == .word(word) }

    private mutating func takeWord(_ word: String) -> Bool {
        guard isWord(word) else { return false }
        position += 1
        return true
    }

    private func text(_ range: Range<Int>) -> String {
        guard !range.isEmpty, tokens.indices.contains(range.lowerBound),
            tokens.indices.contains(range.upperBound - 1)
        else { return "" }
        return String(
            decoding: text[
                tokens[range.lowerBound].range.lowerBound..<tokens[range.upperBound - 1].range.upperBound],
            as: UTF8.self)
    }

    private static func isOperator(_ symbol: String) -> Bool {
        guard let byte = symbol.utf8.first else { return false }
        return "+-*/<>=~!@#%^&|?".utf8.contains(byte)
    }

    /// Names of types of more than one word (PostgreSQL, "Data Types").
    private static let furtherWords: Set<String> = [
        "varying", "precision", "with", "without", "time", "zone",
    ]

    private mutating func typeName() throws(Failure) -> String {
        let start = position
        switch current?.kind {
        case .word?, .quoted?: position += 1
        default: throw Failure()
        }
        while case .symbol(".")? = current?.kind { position += 2 }
        while case .word(let word)? = current?.kind, Self.furtherWords.contains(word) { position += 1 }
        let end = position
        if case .symbol("(")? = current?.kind { try skipBrackets("(", ")") }
        while case .word(let word)? = current?.kind, Self.furtherWords.contains(word) { position += 1 }
        // A modifier (`varchar(3)`) changes values: such a cast has a name that no rule knows.
        let hasMore = position > end
        if case .symbol("[")? = current?.kind { try skipBrackets("[", "]") }
        return text(start..<position) + (hasMore ? " …" : "")
    }

    private mutating func skipBrackets(_ open: String, _ close: String) throws(Failure) {
        guard current?.kind == .symbol(open) else { throw Failure() }
        var depth = 0
        while let token = current {
            position += 1
            if token.kind == .symbol(open) { depth += 1 }
            if token.kind == .symbol(close) {
                depth -= 1
                if depth == 0 { return }
            }
        }
        throw Failure()
    }

    private mutating func skipCase() throws(Failure) {
        var depth = 0
        while let token = current {
            position += 1
            if token.kind == .word("CASE") { depth += 1 }
            if token.kind == .word("END") {
                depth -= 1
                if depth == 0 { return }
            }
        }
        throw Failure()
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
