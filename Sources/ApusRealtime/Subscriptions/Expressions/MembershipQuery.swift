/// `exists (select … from members where members.team = documents.team and members.person = auth.uid())`: whether a
/// column of the table is among the keys of a query that does not know the table.
struct MembershipQuery {
    /// The table's column.
    let column: String
    /// An array of the keys, as an expression.
    let keys: String

    /// - Parameters:
    ///   - query: what stands within `exists (…)`.
    ///   - table: name of the table whose rows are judged.
    init?(_ query: String, table: String) {
        guard let tokens = try? ExpressionLexer.tokens(of: query), tokens.first?.kind == .word("SELECT"),
            let from = Self.clause("FROM", in: tokens), let condition = Self.clause("WHERE", in: tokens),
            from < condition,
            !["GROUP", "HAVING", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "ORDER", "WINDOW", "FOR"]
                .contains(where: { Self.clause($0, in: tokens) != nil })
        else { return nil }
        let bytes = Array(query.utf8)
        func text(_ range: Range<Int>) -> String {
            guard !range.isEmpty else { return "" }
            return String(
                decoding: bytes[
                    tokens[range.lowerBound].range.lowerBound..<tokens[range.upperBound - 1].range.upperBound],
                as: UTF8.self)
        }
        func mentions(_ range: Range<Int>) -> Bool { ExpressionParser.mentions(tokens[range], [], table) }
        guard !mentions(from..<condition) else { return nil }

        var found: (column: String, key: String)?
        var rest: [String] = []
        for part in Self.conjuncts(tokens, condition + 1..<tokens.count) {
            guard mentions(part) else {
                rest.append(text(part))
                continue
            }
            guard found == nil, let (column, key) = Self.equation(tokens, part, table), !mentions(key) else {
                return nil
            }
            found = (column, text(key))
        }
        guard let found else { return nil }
        column = found.column
        let others = rest.isEmpty ? "true" : rest.joined(separator: " AND ")
        keys = "ARRAY(SELECT \(found.key) \(text(from..<condition)) WHERE \(others))"
    }

    // MARK: - Non public

    private static func clause(_ word: String, in tokens: [ExpressionLexer.Token]) -> Int? {
        var depth = 0
        for (index, token) in tokens.enumerated() {
            if token.kind == .symbol("(") { depth += 1 }
            if token.kind == .symbol(")") { depth -= 1 }
            if depth == 0, token.kind == .word(word) { return index }
        }
        return nil
    }

    /// The parts of `((a) AND (b))`, without parentheses around all.
    private static func conjuncts(_ tokens: [ExpressionLexer.Token], _ range: Range<Int>) -> [Range<Int>] {
        let inner = unwrapped(tokens, range)
        var parts: [Range<Int>] = []
        var (depth, start) = (0, inner.lowerBound)
        for index in inner {
            if tokens[index].kind == .symbol("(") { depth += 1 }
            if tokens[index].kind == .symbol(")") { depth -= 1 }
            if depth == 0, tokens[index].kind == .word("OR") { return [range] }
            if depth == 0, tokens[index].kind == .word("AND") {
                parts.append(start..<index)
                start = index + 1
            }
        }
        parts.append(start..<inner.upperBound)
        return parts
    }

    /// Without the parentheses that enclose all of it.
    private static func unwrapped(_ tokens: [ExpressionLexer.Token], _ range: Range<Int>) -> Range<Int> {
        guard range.count > 2, tokens[range.lowerBound].kind == .symbol("("),
            tokens[range.upperBound - 1].kind == .symbol(")")
        else { return range }
        var depth = 0
        for index in range {
            if tokens[index].kind == .symbol("(") { depth += 1 }
            if tokens[index].kind == .symbol(")") { depth -= 1 }
            if depth == 0 {
                return index == range.upperBound - 1 ? range.lowerBound + 1..<range.upperBound - 1 : range
            }
        }
        return range
    }

    /// The two sides of `(key = table.column)`.
    private static func equation(
        _ tokens: [ExpressionLexer.Token], _ part: Range<Int>, _ table: String
    ) -> (column: String, key: Range<Int>)? {
        let inner = unwrapped(tokens, part)
        var depth = 0
        var equals: Int?
        for index in inner {
            if tokens[index].kind == .symbol("(") { depth += 1 }
            if tokens[index].kind == .symbol(")") { depth -= 1 }
            guard depth == 0 else { continue }
            switch tokens[index].kind {
            case .symbol("="):
                if equals != nil { return nil }
                equals = index
            case .word("AND"), .word("OR"), .word("NOT"), .word("IS"): return nil
            default: break
            }
        }
        guard let equals else { return nil }
        let (left, right) = (inner.lowerBound..<equals, equals + 1..<inner.upperBound)
        if let column = column(tokens, left, table) { return (column, right) }
        if let column = column(tokens, right, table) { return (column, left) }
        return nil
    }

    private static func column(
        _ tokens: [ExpressionLexer.Token], _ range: Range<Int>, _ table: String
    ) -> String? {
        guard range.count == 3, tokens[range.lowerBound + 1].kind == .symbol(".") else { return nil }
        func name(_ index: Int) -> String? {
            switch tokens[index].kind {
            case .word(let name), .quoted(let name): name
            default: nil
            }
        }
        return name(range.lowerBound) == table ? name(range.lowerBound + 2) : nil
    }
}
