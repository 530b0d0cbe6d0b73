/// A JSON value as a token's header, claims and keys need it: names are unique and numbers keep their text.
///
/// Only for small documents that must be understood. Rows and bodies pass through Apus unparsed.
indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The number as it was written (RFC 8259, 6); what it means is the reader's choice.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var object: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }
}

/// An object's members in the order they were written.
struct JSONObject: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        let name: String
        let value: JSONValue
        /// Where the value stands in the document's bytes.
        let range: Range<Int>
    }

    var members: [Member] = []

    subscript(name: String) -> JSONValue? { member(name)?.value }

    func member(_ name: String) -> Member? { members.first { $0.name == name } }
}
