/// The filter of a `postgres_changes` entry: `column=op.value`, several joined by commas, all of which must hold.
package struct ChangeFilter: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable, CaseIterable {
        case eq, neq, lt, lte, gt, gte, `in`, like, ilike, `is`, match, imatch, isdistinct

        /// In SQL, between the column and the value; nil for those that are not binary operators.
        package var symbol: String? {
            switch self {
            case .eq: "="
            case .neq: "<>"
            case .lt: "<"
            case .lte: "<="
            case .gt: ">"
            case .gte: ">="
            case .like: "~~"
            case .ilike: "~~*"
            case .match: "~"
            case .imatch: "~*"
            case .isdistinct: "is distinct from"
            case .in, .is: nil
            }
        }
    }

    package struct Condition: Sendable, Hashable {
        package var column: String
        package var isNegated: Bool
        package var `operator`: Operator
        /// One value; for `in`, as many as there are; for `is`, one of the words of SQL.
        package var values: [String]
    }

    package var conditions: [Condition]

    /// Values in one `in`, and conditions in one filter.
    package static let listLimit = 100

    package init(conditions: [Condition]) { self.conditions = conditions }

    /// - Throws: the sentence that tells what is wrong.
    package init(_ text: String) throws(ChannelFault) {
        var conditions: [Condition] = []
        for part in try Self.parts(text) { conditions.append(try Self.condition(part)) }
        guard !conditions.isEmpty, conditions.count <= Self.listLimit else {
            throw Self.fault("a filter has 1 to \(Self.listLimit) conditions")
        }
        self.conditions = conditions
    }

    // MARK: - Non public

    /// Splits at commas that are not within parentheses or quotes.
    private static func parts(_ text: String) throws(ChannelFault) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var depth = 0
        var isQuoted = false
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case "\\" where isQuoted:
                index = text.index(after: index)
                if index == text.endIndex { throw fault("a quote is not closed") }
            case "\"": if depth > 0 { isQuoted.toggle() }
            case "(" where !isQuoted: depth += 1
            case ")" where !isQuoted: depth -= 1
            // A comma that starts no condition belongs to a value, as in body=like.a,b.
            case "," where depth == 0 && !isQuoted && startsCondition(text[text.index(after: index)...]):
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
            index = text.index(after: index)
        }
        if isQuoted { throw fault("a quote is not closed") }
        parts.append(text[start...])
        return parts
    }

    private static func startsCondition(_ text: Substring) -> Bool {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return false }
        var rest = text[text.index(after: equals)...]
        if rest.hasPrefix("not.") { rest = rest.dropFirst(4) }
        guard let dot = rest.firstIndex(of: ".") else { return false }
        return Operator(rawValue: String(rest[..<dot])) != nil && !text[..<equals].contains(",")
    }

    private static func condition(_ text: Substring) throws(ChannelFault) -> Condition {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw fault("'\(text)' is not column=operator.value")
        }
        var rest = text[text.index(after: equals)...]
        let isNegated = rest.hasPrefix("not.")
        if isNegated { rest = rest.dropFirst(4) }
        guard let dot = rest.firstIndex(of: "."),
            let `operator` = Operator(rawValue: String(rest[..<dot]))
        else { throw fault("'\(text)' names no operator that is known") }
        let value = rest[rest.index(after: dot)...]
        let column = text[..<equals].trimmingSpaces()
        return Condition(
            column: String(column), isNegated: isNegated, operator: `operator`,
            values: try values(value, for: `operator`))
    }

    private static func values(_ text: Substring, for op: Operator) throws(ChannelFault) -> [String] {
        switch op {
        case .in:
            guard text.first == "(", text.last == ")" else { throw fault("in takes a list in parentheses") }
            let list = list(text.dropFirst().dropLast())
            guard list.count <= listLimit else { throw fault("in takes at the most \(listLimit) values") }
            return list
        case .is:
            let word = text.lowercased()
            guard ["null", "true", "false", "unknown", "not null"].contains(word) else {
                throw fault("is takes null, true, false or unknown")
            }
            return [word]
        default: return [String(text)]
        }
    }

    /// Values between commas; one with a comma, a parenthesis or spaces at its ends in double quotes.
    private static func list(_ text: Substring) -> [String] {
        var values: [String] = []
        var value = ""
        var isQuoted = false
        var wasQuoted = false
        var characters = text.makeIterator()
        func finished() -> String { wasQuoted ? value : String(value[...].trimmingSpaces()) }
        while let character = characters.next() {
            switch character {
            case "\\" where isQuoted: if let next = characters.next() { value.append(next) }
            case "\"":
                isQuoted.toggle()
                if !wasQuoted { value = "" }
                wasQuoted = true
            case "," where !isQuoted:
                values.append(finished())
                (value, wasQuoted) = ("", false)
            case " " where wasQuoted && !isQuoted: break
            default: value.append(character)
            }
        }
        values.append(finished())
        return values
    }

    private static func fault(_ message: String) -> ChannelFault {
        ChannelFault(.unableToSubscribe, "The filter cannot be read: \(message)")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
