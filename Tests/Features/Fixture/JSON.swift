import ApusJSON

/// A JSON value that a test can write down and compare: objects without order, numbers by what they mean.
enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// - Throws: when the bytes are no JSON.
    init(_ bytes: [UInt8]) throws {
        self.init(try JSONReader.read(bytes))
    }

    private init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let text): self = Double(text).map { .number($0) } ?? .string(text)
        case .string(let text): self = .string(text)
        case .array(let items): self = .array(items.map { JSON($0) })
        case .object(let object):
            self = .object(
                Dictionary(object.members.map { ($0.name, JSON($0.value)) }, uniquingKeysWith: { $1 }))
        }
    }

    subscript(name: String) -> JSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    subscript(index: Int) -> JSON? {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil }
    }

    /// The items of an array; none for anything else.
    var items: [JSON] { if case .array(let items) = self { items } else { [] } }

    /// One member of each item of an array.
    func all(_ name: String) -> [JSON] { items.map { $0[name] ?? .null } }

    var text: String? { if case .string(let text) = self { text } else { nil } }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}

extension JSON {
    /// The value as a request's body.
    var written: String { String(decoding: value.bytes, as: UTF8.self) }

    private var value: JSONValue {
        switch self {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .number(let number):
            return .number(number == number.rounded() ? String(Int(number)) : String(number))
        case .string(let text): return .string(text)
        case .array(let items): return .array(items.map(\.value))
        case .object(let members):
            var object = JSONObject()
            for (name, member) in members.sorted(by: { $0.key < $1.key }) { object[name] = member.value }
            return .object(object)
        }
    }
}
