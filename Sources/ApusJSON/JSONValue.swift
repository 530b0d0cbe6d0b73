/// A JSON value (RFC 8259) whose objects keep the order of their members and whose numbers keep their text.
///
/// For the small documents that Apus words or must understand: errors, claims, OpenAPI. Rows and bodies pass
/// through unparsed and never become one of these.
package indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As it is written; what it means is the reader's choice.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    package static func int(_ number: Int) -> JSONValue { .number(String(number)) }

    package static func strings(_ strings: [String]) -> JSONValue { .array(strings.map { .string($0) }) }

    /// The text as UTF-8, without white space.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    package func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += Array("null".utf8)
        case .bool(let flag): bytes += Array((flag ? "true" : "false").utf8)
        case .number(let text): bytes += Array(text.utf8)
        case .string(let text): appendJSONString(text, to: &bytes)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object): object.write(to: &bytes)
        }
    }
}

/// An object's members in the order they were written.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSONValue
        /// Where the value stands in the document's bytes, when it was read from one.
        package var range: Range<Int>

        package init(name: String, value: JSONValue, range: Range<Int> = 0..<0) {
            self.name = name
            self.value = value
            self.range = range
        }
    }

    package var members: [Member] = []

    package init() {}

    /// Members in the order of the literal; a repeated name is a programmer's mistake and stays repeated.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { Member(name: $0, value: $1) }
    }

    /// Reading: the first member of that name. Writing: nil leaves the member out, a new name goes last.
    package subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            if let index = members.firstIndex(where: { $0.name == name }) {
                if let newValue { members[index].value = newValue } else { members.remove(at: index) }
            } else if let newValue {
                members.append(Member(name: name, value: newValue))
            }
        }
    }

    package func member(_ name: String) -> Member? { members.first { $0.name == name } }

    func write(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            appendJSONString(member.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            member.value.write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    /// Members in the order of the literal.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        object.members = elements.map { .init(name: $0, value: $1) }
        self = .object(object)
    }
}
