/// The CBOR (RFC 8949) that authenticators write: CTAP2's canonical form, definite lengths, no tags, no floats.
indirect enum CBORValue: Sendable, Equatable {
    case integer(Int64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map([Pair])
    case bool(Bool)
    case null

    struct Pair: Sendable, Equatable {
        var key: CBORValue
        var value: CBORValue
    }

    /// The value of a map under a text.
    subscript(key: String) -> CBORValue? { self[.text(key)] }

    /// The value of a map under an integer, as COSE has them.
    subscript(key: Int64) -> CBORValue? { self[.integer(key)] }

    private subscript(key: CBORValue) -> CBORValue? {
        guard case .map(let pairs) = self else { return nil }
        return pairs.first { $0.key == key }?.value
    }

    var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    var array: [CBORValue]? { if case .array(let items) = self { items } else { nil } }
}

/// Reads one CBOR value from the front of some bytes.
struct CBORReader {
    struct Malformed: Error {}

    /// CTAP2 allows four levels; an attestation statement needs no more.
    private static let depthLimit = 8

    private let input: [UInt8]
    /// Bytes read so far.
    private(set) var position: Int
    private var depth = 0

    init(_ input: [UInt8], from position: Int = 0) {
        self.input = input
        self.position = position
    }

    /// The value that all of `bytes` are.
    static func read(_ bytes: [UInt8]) throws(Malformed) -> CBORValue {
        var reader = CBORReader(bytes)
        let value = try reader.value()
        guard reader.position == bytes.count else { throw Malformed() }
        return value
    }

    /// The next value.
    mutating func value() throws(Malformed) -> CBORValue {
        guard let head = take() else { throw Malformed() }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw Malformed() }
        let information = head & 0x1F
        switch head >> 5 {
        case 0: return .integer(try argument(information))
        case 1: return .integer(-1 - (try argument(information)))
        case 2: return .bytes(try take(try length(information)))
        case 3:
            guard let text = String(validating: try take(try length(information)), as: UTF8.self) else {
                throw Malformed()
            }
            return .text(text)
        case 4:
            var items: [CBORValue] = []
            for _ in 0..<(try length(information)) { items.append(try value()) }
            return .array(items)
        case 5: return .map(try pairs(try length(information)))
        case 7:
            switch information {
            case 20: return .bool(false)
            case 21: return .bool(true)
            case 22: return .null
            default: throw Malformed()
            }
        default: throw Malformed()
        }
    }

    // MARK: - Non public

    private mutating func pairs(_ count: Int) throws(Malformed) -> [CBORValue.Pair] {
        var pairs: [CBORValue.Pair] = []
        for _ in 0..<count {
            let key = try value()
            guard !pairs.contains(where: { $0.key == key }) else { throw Malformed() }
            pairs.append(.init(key: key, value: try value()))
        }
        return pairs
    }

    private mutating func argument(_ information: UInt8) throws(Malformed) -> Int64 {
        guard information >= 24 else { return Int64(information) }
        guard information <= 27 else { throw Malformed() }
        var number: UInt64 = 0
        for byte in try take(1 << Int(information - 24)) { number = number << 8 | UInt64(byte) }
        guard let signed = Int64(exactly: number) else { throw Malformed() }
        return signed
    }

    /// Of bytes or items; no more than there are bytes left, so that no number makes memory.
    private mutating func length(_ information: UInt8) throws(Malformed) -> Int {
        let length = try argument(information)
        guard length <= Int64(input.count - position) else { throw Malformed() }
        return Int(length)
    }

    private mutating func take() -> UInt8? {
        guard position < input.count else { return nil }
        defer { position += 1 }
        return input[position]
    }

    private mutating func take(_ count: Int) throws(Malformed) -> [UInt8] {
        guard count <= input.count - position else { throw Malformed() }
        defer { position += count }
        return Array(input[position..<position + count])
    }
}
