/// Walks through the text of a `pg_node_tree` token by token, without keeping any of it
/// (PostgreSQL, `pg_strtok` in read.c).
struct NodeTreeScanner {
    enum Token {
        /// `(` or `{`
        case open
        /// `)` or `}`
        case close
        /// `:name`, by the place of its name.
        case field(Range<Int>)
        case word(Range<Int>)
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// Open brackets at the current place; a closing one is already counted.
    private(set) var depth = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() -> Token? {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "("), UInt8(ascii: "{"):
                position += 1
                depth += 1
                return .open
            case UInt8(ascii: ")"), UInt8(ascii: "}"):
                position += 1
                depth -= 1
                return .close
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"): position += 1
            case UInt8(ascii: ":"):
                position += 1
                return .field(word())
            default: return .word(word())
            }
        }
        return nil
    }

    /// Goes behind the name of a field at this depth; false when there is none.
    mutating func skip(toField name: StaticString, depth wanted: Int) -> Bool {
        while let token = next() {
            if case .field(let range) = token, depth == wanted, text(range, is: name) { return true }
        }
        return false
    }

    func text(_ range: Range<Int>, is name: StaticString) -> Bool {
        name.withUTF8Buffer { bytes[range].elementsEqual($0) }
    }

    /// The next word as a number; 0 when it is none.
    mutating func integer() -> Int {
        guard case .word(let range) = next() else { return 0 }
        return Int(String(decoding: bytes[range], as: UTF8.self)) ?? 0
    }

    /// Whether the next word is `true`.
    mutating func isTrue() -> Bool {
        guard case .word(let range) = next() else { return false }
        return text(range, is: "true")
    }

    // MARK: - Non public

    private mutating func word() -> Range<Int> {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "("),
                UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "}"):
                return start..<position
            case UInt8(ascii: "\\"): position = min(position + 2, bytes.count)
            default: position += 1
            }
        }
        return start..<position
    }
}
