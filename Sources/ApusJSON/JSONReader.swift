/// Reads one JSON document strictly: RFC 8259 and nothing more, valid UTF-8, unique names in every object (RFC 7519,
/// 4 and RFC 7515, 4 let a reader refuse repeated names; a reader that takes the first and a database that takes the
/// last would see two different users), bounded depth.
package struct JSONReader {
    /// Any violation; which one does not matter to callers, and a message could carry a part of a token.
    package struct Malformed: Error {}

    /// Deeper nesting is refused, so that no input can exhaust the stack.
    package static let depthLimit = 32

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The one value that `bytes` hold.
    package static func read(_ bytes: [UInt8]) throws(Malformed) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw Malformed() }
        return value
    }

    // MARK: - Values

    private mutating func value() throws(Malformed) -> JSONValue {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try nested { reader throws(Malformed) in try reader.object() })
        case UInt8(ascii: "["): return .array(try nested { reader throws(Malformed) in try reader.array() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func nested<T>(_ body: (inout JSONReader) throws(Malformed) -> T) throws(Malformed) -> T
    {
        depth += 1
        guard depth <= Self.depthLimit else { throw Malformed() }
        defer { depth -= 1 }
        position += 1
        return try body(&self)
    }

    private mutating func object() throws(Malformed) -> JSONObject {
        var object = JSONObject()
        if skip(UInt8(ascii: "}")) { return object }
        var names = Set<String>()
        repeat {
            skipSpace()
            let name = try string()
            // Swift compares strings by canonical equivalence, which refuses a little more than equal bytes would.
            guard names.insert(name).inserted, skip(UInt8(ascii: ":")) else { throw Malformed() }
            skipSpace()
            let start = position
            let value = try value()
            object.members.append(.init(name: name, value: value, range: start..<position))
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw Malformed() }
        return object
    }

    private mutating func array() throws(Malformed) -> [JSONValue] {
        var elements: [JSONValue] = []
        if skip(UInt8(ascii: "]")) { return elements }
        repeat { elements.append(try value()) } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw Malformed() }
        return elements
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        let isThere = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard isThere else { throw Malformed() }
        position += word.utf8CodeUnitCount
        return value
    }

    // MARK: - Numbers

    private mutating func number() throws(Malformed) -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(Malformed) {
        let start = position
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw Malformed() }
    }

    // MARK: - Strings

    private mutating func string() throws(Malformed) -> String {
        guard peek == UInt8(ascii: "\"") else { throw Malformed() }
        position += 1
        var units: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else { throw Malformed() }
                return text
            case UInt8(ascii: "\\"): try escape(into: &units)
            case 0..<0x20: throw Malformed()
            default: units.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func escape(into units: inout [UInt8]) throws(Malformed) {
        guard let byte = peek else { throw Malformed() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        case UInt8(ascii: "b"): units.append(0x08)
        case UInt8(ascii: "f"): units.append(0x0C)
        case UInt8(ascii: "n"): units.append(0x0A)
        case UInt8(ascii: "r"): units.append(0x0D)
        case UInt8(ascii: "t"): units.append(0x09)
        case UInt8(ascii: "u"): units.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw Malformed()
        }
    }

    private mutating func escapedScalar() throws(Malformed) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, peek == UInt8(ascii: "\\") else { throw Malformed() }
        position += 1
        guard peek == UInt8(ascii: "u") else { throw Malformed() }
        position += 1
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw Malformed() }
        return scalar
    }

    private mutating func hexadecimal() throws(Malformed) -> UInt32 {
        guard position + 4 <= bytes.count else { throw Malformed() }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw Malformed()
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    // MARK: - Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || (byte >= 0x09 && byte <= 0x0D && byte != 0x0B && byte != 0x0C)
        {
            position += 1
        }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        position += 1
        return true
    }
}
