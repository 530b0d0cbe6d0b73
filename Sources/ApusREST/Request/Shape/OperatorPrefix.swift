/// Finds where the operator of a filter ends and its value begins, in one pass and without allocation.
///
/// It accepts no more than ``GrammarParser/operation(operand:)`` does, which has the last word: what this one
/// refuses is read in full, and its shape is not kept.
enum OperatorPrefix {
    /// The number of bytes at the start of a filter's value that belong to the request's shape: the operator
    /// with its dot, and all of `is.null`. Nil when there is no operator here, or its list does not end.
    static func length(of value: ArraySlice<UInt8>) -> Int? {
        value.withUnsafeBufferPointer { value in
            let operatorStart = starts(value, with: "not.", at: 0) ? 4 : 0
            let wordEnd = endOfWord(value, from: operatorStart)
            guard wordEnd < value.count, let kind = kind(of: value[operatorStart..<wordEnd]) else {
                return nil
            }
            return end(of: kind, in: value, after: wordEnd)
        }
    }

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    private enum Kind {
        case plain, quantified, fullText, list, keyword
    }

    private static let operators: [(word: StaticString, kind: Kind)] = [
        ("eq", .quantified), ("in", .list), ("is", .keyword), ("gte", .quantified), ("gt", .quantified),
        ("lte", .quantified), ("lt", .quantified), ("neq", .plain), ("like", .quantified),
        ("ilike", .quantified), ("match", .quantified), ("imatch", .quantified), ("cs", .plain),
        ("cd", .plain), ("ov", .plain), ("sl", .plain), ("sr", .plain), ("nxr", .plain), ("nxl", .plain),
        ("adj", .plain), ("isdistinct", .plain), ("fts", .fullText), ("plfts", .fullText),
        ("phfts", .fullText), ("wfts", .fullText),
    ]

    private static func kind(of word: Bytes.SubSequence) -> Kind? {
        for (name, kind) in operators where name.utf8CodeUnitCount == word.count {
            if name.withUTF8Buffer({ $0.elementsEqual(word) }) { return kind }
        }
        return nil
    }

    private static func end(of kind: Kind, in value: Bytes, after wordEnd: Int) -> Int? {
        var index = wordEnd
        switch kind {
        case .plain, .list, .keyword: break
        case .quantified:
            if starts(value, with: "(any)", at: index) || starts(value, with: "(all)", at: index) {
                index += 5
            }
        case .fullText:
            if value[index] == UInt8(ascii: "(") {
                index += 1
                let language = index
                while index < value.count, isLanguageByte(value[index]) { index += 1 }
                guard index > language, index < value.count, value[index] == UInt8(ascii: ")") else {
                    return nil
                }
                index += 1
            }
        }
        guard index < value.count, value[index] == UInt8(ascii: ".") else { return nil }
        index += 1
        switch kind {
        case .list: return isList(value, from: index) ? index : nil
        case .keyword: return endOfKeyword(value, from: index)
        case .plain, .quantified, .fullText: return index
        }
    }

    private static func endOfWord(_ value: Bytes, from start: Int) -> Int {
        var index = start
        while index < value.count, value[index] &- UInt8(ascii: "a") < 26 { index += 1 }
        return index
    }

    /// Letters outside ASCII are left to the grammar.
    private static func isLanguageByte(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "$")
    }

    private static func starts(_ value: Bytes, with text: StaticString, at start: Int) -> Bool {
        guard value.count - start >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for offset in 0..<text.count where value[start + offset] != text[offset] { return false }
            return true
        }
    }

    /// The end of `null`, `not_null`, `true`, `false` or `unknown`, in any case.
    private static func endOfKeyword(_ value: Bytes, from start: Int) -> Int? {
        let keywords: [StaticString] = ["null", "not_null", "true", "false", "unknown"]
        for keyword in keywords where value.count - start >= keyword.utf8CodeUnitCount {
            let matches = keyword.withUTF8Buffer { keyword in
                keyword.indices.allSatisfy {
                    let byte = value[start + $0]
                    let isUpperCase = byte &- UInt8(ascii: "A") < 26
                    return (isUpperCase ? byte | 0x20 : byte) == keyword[$0]
                }
            }
            if matches { return start + keyword.utf8CodeUnitCount }
        }
        return nil
    }

    /// Whether a parenthesized list of plain and quoted elements starts here and ends.
    private static func isList(_ value: Bytes, from start: Int) -> Bool {
        var index = skipBlanks(value, from: start)
        guard index < value.count, value[index] == UInt8(ascii: "(") else { return false }
        index = skipBlanks(value, from: index + 1)
        while true {
            index = endOfQuoted(value, from: index) ?? endOfPlain(value, from: index)
            guard index < value.count else { return false }
            if value[index] == UInt8(ascii: ")") { return true }
            index += 1
        }
    }

    private static func skipBlanks(_ value: Bytes, from start: Int) -> Int {
        var index = start
        while index < value.count, value[index] == UInt8(ascii: " ") || value[index] == UInt8(ascii: "\t") {
            index += 1
        }
        return index
    }

    /// The end of a quoted element, when it is one: what follows must be a comma, a parenthesis or nothing.
    private static func endOfQuoted(_ value: Bytes, from start: Int) -> Int? {
        guard start < value.count, value[start] == UInt8(ascii: "\"") else { return nil }
        var index = start + 1
        while index < value.count, value[index] != UInt8(ascii: "\"") {
            index += value[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < value.count else { return nil }
        index += 1
        guard index < value.count else { return index }
        return value[index] == UInt8(ascii: ",") || value[index] == UInt8(ascii: ")") ? index : nil
    }

    private static func endOfPlain(_ value: Bytes, from start: Int) -> Int {
        var index = start
        while index < value.count, value[index] != UInt8(ascii: ","), value[index] != UInt8(ascii: ")") {
            index += 1
        }
        return index
    }
}
