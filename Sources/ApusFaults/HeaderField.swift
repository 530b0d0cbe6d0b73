/// A header field of a response (RFC 9110 §5): here at the bottom, because faults carry some, dialects word them and
/// the server writes them, and none of them should copy the others' lists.
package struct HeaderField: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package init(name: String, value: String) { self.init(name, value) }
}
