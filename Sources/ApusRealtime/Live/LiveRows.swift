/// The rows of an answer, a JSON array of objects, told apart by their keys without reading the rest of them.
package struct LiveRows: Sendable {
    package struct Row: Sendable {
        /// Where the object lies in ``LiveRows/body``.
        package var range: Range<Int>
        /// The key's values as JSON, one after the other, with their names: the members of an object.
        package var key: [UInt8]
        /// The key's values as PostgreSQL's text shows them, where that is the same but for quotes.
        package var keyTexts: [String]
    }

    package let body: [UInt8]
    /// nil when there is no key by which rows can be told apart; then only the whole can be sent.
    package let rows: [Row]?

    /// - Parameter key: names of the members that make up the key; nil when rows have none.
    package init(body: [UInt8], key: [String]?) {
        self.body = body
        rows = key.flatMap { RowScanner(body, key: $0).rows() }
    }
}

/// Goes over a JSON array of objects (RFC 8259) that PostgreSQL wrote, finding where each begins and its key.
private struct RowScanner {
    private let bytes: [UInt8]
    private let names: [[UInt8]]
    private var position = 0

    init(_ bytes: [UInt8], key: [String]) {
        self.bytes = bytes
        names = key.map { Array($0.utf8) }
    }

    /// nil when it is no array of objects with these members, or two have the same key.
    func rows() -> [LiveRows.Row]? {
        var scanner = self
        return scanner.scan()
    }

    private mutating func scan() -> [LiveRows.Row]? {
        var rows: [LiveRows.Row] = []
        var seen: Set<[UInt8]> = []
        guard take(UInt8(ascii: "[")) else { return nil }
        if take(UInt8(ascii: "]")) { return rows }
        while true {
            guard let row = object(), seen.insert(row.key).inserted else { return nil }
            rows.append(row)
            if take(UInt8(ascii: "]")) { return rows }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func object() -> LiveRows.Row? {
        skipBlanks()
        let start = position
        guard take(UInt8(ascii: "{")) else { return nil }
        var values: [Range<Int>?] = names.map { _ in nil }
        while !take(UInt8(ascii: "}")) {
            _ = take(UInt8(ascii: ","))
            skipBlanks()
            let nameStart = position + 1
            guard skipString() else { return nil }
            let name = bytes[nameStart..<(position - 1)]
            guard take(UInt8(ascii: ":")) else { return nil }
            skipBlanks()
            let valueStart = position
            guard skipValue() else { return nil }
            for index in names.indices where values[index] == nil && name.elementsEqual(names[index]) {
                values[index] = valueStart..<position
            }
        }
        var key: [UInt8] = []
        var texts: [String] = []
        for (index, range) in values.enumerated() {
            guard let range else { return nil }
            if index > 0 { key.append(UInt8(ascii: ",")) }
            key.append(UInt8(ascii: "\""))
            key += names[index]
            key += Array("\":".utf8)
            key += bytes[range]
            let isString = bytes[range.lowerBound] == UInt8(ascii: "\"")
            texts.append(
                String(decoding: isString ? bytes[range].dropFirst().dropLast() : bytes[range], as: UTF8.self)
            )
        }
        return LiveRows.Row(range: start..<position, key: key, keyTexts: texts)
    }

    private mutating func skipValue() -> Bool {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                if depth == 0 { return true }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }
                depth -= 1
                position += 1
                if depth == 0 { return true }
            case UInt8(ascii: ","):
                if depth == 0 { return true }
                position += 1
            default: position += 1
            }
        }
        return false
    }

    private mutating func skipString() -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return false }
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\\"): position += 2
            case UInt8(ascii: "\""):
                position += 1
                return true
            default: position += 1
            }
        }
        return false
    }

    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }
}
