/// A CSV body (RFC 4180) with a header line, turned into a JSON array of objects.
///
/// All values are strings, but for `NULL`, which is null. Empty lines are skipped; of two columns of one name the
/// last one counts.
struct CSVBody: Equatable {
    enum Problem: Error, Equatable {
        /// No header, a quote inside an unquoted field, or something behind a quoted one.
        case malformed
        /// A line with more or fewer fields than the header.
        case unequalLines
    }

    private(set) var json: [UInt8] = [UInt8(ascii: "[")]
    /// The names in the header line, in its order.
    private(set) var names: [[UInt8]] = []

    init(reading csv: [UInt8]) throws(Problem) {
        var lines = CSVLines(csv)
        guard let header = try lines.next() else { throw .malformed }
        names = header.map { lines.text(of: $0) }
        let keys = Self.keys(names)
        json.reserveCapacity(csv.count * 2)
        while let fields = try lines.next() {
            guard fields.count == keys.count else { throw .unequalLines }
            if json.count > 1 { json.append(UInt8(ascii: ",")) }
            json.append(UInt8(ascii: "{"))
            for (field, key) in zip(fields, keys) {
                guard let key else { continue }
                if json.last != UInt8(ascii: "{") { json.append(UInt8(ascii: ",")) }
                json.append(contentsOf: key)
                appendValue(lines.text(of: field))
            }
            json.append(UInt8(ascii: "}"))
        }
        json.append(UInt8(ascii: "]"))
    }

    private mutating func appendValue(_ text: [UInt8]) {
        if text.elementsEqual("NULL".utf8) {
            json.append(contentsOf: "null".utf8)
        } else {
            appendJSONString(text, to: &json)
        }
    }

    /// Each name as JSON with its colon; nil for one that comes again later.
    private static func keys(_ names: [[UInt8]]) -> [[UInt8]?] {
        var lastIndex: [[UInt8]: Int] = [:]
        for (index, name) in names.enumerated() { lastIndex[name] = index }
        return names.enumerated().map { index, name in
            guard lastIndex[name] == index else { return nil }
            var key: [UInt8] = []
            appendJSONString(name, to: &key)
            key.append(UInt8(ascii: ":"))
            return key
        }
    }
}

/// The lines of a CSV text as ranges of their fields.
private struct CSVLines {
    struct Field {
        /// Without the quotes around it.
        var range: Range<Int>
        /// Whether it holds doubled quotes.
        var hasQuotes = false
    }

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func text(of field: Field) -> [UInt8] {
        guard field.hasQuotes else { return Array(bytes[field.range]) }
        var text: [UInt8] = []
        var index = field.range.lowerBound
        while index < field.range.upperBound {
            text.append(bytes[index])
            index += bytes[index] == UInt8(ascii: "\"") ? 2 : 1
        }
        return text
    }

    /// The fields of the next line that is not empty.
    mutating func next() throws(CSVBody.Problem) -> [Field]? {
        while index < bytes.count {
            var fields = [try nextField()]
            while index < bytes.count, bytes[index] == UInt8(ascii: ",") {
                index += 1
                fields.append(try nextField())
            }
            try endLine()
            if fields.count > 1 || !fields[0].range.isEmpty { return fields }
        }
        return nil
    }

    private mutating func nextField() throws(CSVBody.Problem) -> Field {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
            let start = index
            while index < bytes.count, !Self.endsField(bytes[index]) {
                guard bytes[index] != UInt8(ascii: "\"") else { throw .malformed }
                index += 1
            }
            return Field(range: start..<index)
        }
        index += 1
        var field = Field(range: index..<index)
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\"") else {
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") {
                field.hasQuotes = true
                index += 2
                continue
            }
            field.range = field.range.lowerBound..<index
            index += 1
            return field
        }
        throw .malformed
    }

    private mutating func endLine() throws(CSVBody.Problem) {
        guard index < bytes.count else { return }
        switch bytes[index] {
        case UInt8(ascii: "\n"): index += 1
        case UInt8(ascii: "\r"):
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "\n") { index += 1 }
        default: throw .malformed
        }
    }

    private static func endsField(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}

/// Appends a JSON string (RFC 8259 §7) with its quotes. What is no UTF-8 stays so, for the database to refuse.
func appendJSONString(_ text: some Collection<UInt8>, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\""))
    for byte in text {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            json.append(UInt8(ascii: "\\"))
            json.append(byte)
        case 0..<0x20:
            json.append(contentsOf: "\\u00".utf8)
            json.append(byte < 16 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            json.append(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10)
        default: json.append(byte)
        }
    }
    json.append(UInt8(ascii: "\""))
}
