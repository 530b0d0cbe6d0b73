import ApusFaults

/// The dialect's list, `(a,b,"c,d")`: elements between commas, quoted where they hold a comma or a bracket;
/// a backslash inside quotes takes the next character as it is.
enum ListLiteral {
    /// The list as the text of a PostgreSQL array, which serves every type of column.
    ///
    /// `value` is all that the client wrote, and the list begins `start` bytes into it: the fault names the
    /// place as the reader of query strings does. What follows the closing bracket is not looked at.
    static func array(
        from value: ArraySlice<UInt8>, startingAt start: Int
    ) throws(Fault) -> [UInt8] {
        var array = ArrayLiteral.Builder()
        for element in try elements(of: value, startingAt: start) { array.append(element) }
        return array.finish()
    }

    /// The list's elements.
    static func elements(
        of value: ArraySlice<UInt8>, startingAt start: Int
    ) throws(Fault) -> [[UInt8]] {
        var cursor = value.startIndex + min(start, value.count)
        skipBlanks(value, &cursor)
        guard cursor < value.endIndex, value[cursor] == UInt8(ascii: "(") else {
            throw fault(value, at: cursor, expecting: #""(""#)
        }
        cursor += 1
        skipBlanks(value, &cursor)
        var elements: [[UInt8]] = []
        while true {
            elements.append(readElement(value, &cursor))
            guard cursor < value.endIndex else {
                throw fault(value, at: cursor, expecting: #""," or ")""#)
            }
            cursor += 1
            if value[cursor - 1] == UInt8(ascii: ")") { break }
        }
        // One empty element is the way to write an empty list.
        return elements == [[]] ? [] : elements
    }

    /// Reads to the next comma or closing bracket, which is left where it is.
    private static func readElement(_ value: ArraySlice<UInt8>, _ cursor: inout Int) -> [UInt8] {
        if let quoted = readQuoted(value, &cursor) { return quoted }
        let start = cursor
        while cursor < value.endIndex, !endsElement(value[cursor]) { cursor += 1 }
        return Array(value[start..<cursor])
    }

    /// A quoted element; nil, and nothing read, when the quotes do not hold the whole element.
    private static func readQuoted(_ value: ArraySlice<UInt8>, _ cursor: inout Int) -> [UInt8]? {
        guard cursor < value.endIndex, value[cursor] == UInt8(ascii: "\"") else { return nil }
        var element: [UInt8] = []
        var position = cursor + 1
        while position < value.endIndex, value[position] != UInt8(ascii: "\"") {
            if value[position] == UInt8(ascii: "\\") {
                position += 1
                guard position < value.endIndex else { return nil }
            }
            element.append(value[position])
            position += 1
        }
        guard position < value.endIndex else { return nil }
        position += 1
        guard position == value.endIndex || endsElement(value[position]) else { return nil }
        cursor = position
        return element
    }

    private static func endsElement(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: ")")
    }

    private static func skipBlanks(_ value: ArraySlice<UInt8>, _ cursor: inout Int) {
        while cursor < value.endIndex, value[cursor] == 0x20 || value[cursor] == 0x09 { cursor += 1 }
    }
}

// MARK: - Faults

extension ListLiteral {
    /// `PGRST100` in the words of the dialect's reader of filters.
    private static func fault(
        _ value: ArraySlice<UInt8>, at cursor: Int, expecting: String
    ) -> Fault {
        let text = String(decoding: value, as: UTF8.self)
        let (line, column) = place(of: value[..<cursor])
        let found = String(decoding: value[cursor...], as: UTF8.self).unicodeScalars.first
        let unexpected = found.map { "\"" + shown($0) + "\"" } ?? "end of input"
        return Fault(
            code: "PGRST100", kind: .invalid,
            message: "\"failed to parse filter (\(text))\" (line \(line), column \(column))",
            details: "unexpected \(unexpected) expecting \(expecting)")
    }

    /// Line and column, both from one, after some text; a tab goes to the next eighth column.
    private static func place(of text: ArraySlice<UInt8>) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\n": (line, column) = (line + 1, 1)
            case "\t": column += 8 - (column - 1) % 8
            default: column += 1
            }
        }
        return (line, column)
    }

    /// A character as the dialect's messages show it: what is not printable ASCII by its number.
    private static func shown(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        case " "..."~": String(scalar)
        default: "\\\(scalar.value)"
        }
    }
}
