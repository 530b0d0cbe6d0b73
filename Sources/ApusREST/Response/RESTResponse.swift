package import ApusDataAPI
package import ApusFaults

/// An answer in the dialect's words: a status, header fields and a body.
package struct RESTResponse: Sendable {
    package var status: Int
    package var fields: [HeaderField]
    package var body: Answer.Body
    /// Whether the length may be told; false for HEAD, whose body was never made.
    package var hasBody: Bool

    package init(status: Int, fields: [HeaderField] = [], body: Answer.Body = .none, hasBody: Bool = true) {
        self.status = status
        self.fields = fields
        self.body = body
        self.hasBody = hasBody
    }

    /// Whether a field of this name is there, in any case of letters.
    package func hasField(_ name: String) -> Bool {
        fields.contains { sameFieldName($0.name, name) }
    }
}

/// Compares names of header fields (RFC 9110 §5.1: case-insensitive), without making strings.
func sameFieldName(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count
        && zip(left.utf8, right.utf8).allSatisfy { lowered($0) == lowered($1) }
}

private func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
