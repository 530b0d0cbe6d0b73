/// A request, split into what it asks and the values that it asks with.
///
/// Requests with equal ``key`` ask the same with other values: their intents are equal, because
/// ``RequestReader/intent(of:shape:)`` reads parameters and payload keys out of the key and nowhere else.
///
/// A value that is meant to be used again and again: filling it keeps its memory.
package struct RequestShape: Sendable {
    /// A query parameter, or a field of a form.
    struct Parameter: Sendable {
        var role: ParameterRole
        /// Where the decoded name lies in the key.
        var name: Range<Int>
        /// Where the decoded value, or the operator at its start, lies in the key.
        var structure: Range<Int>
        /// Index of the whole value among the values; nil when all of it is in the key.
        var slot: Int?
    }

    /// What became of the body.
    enum Payload: Sendable, Equatable {
        case none
        /// JSON objects with these keys, which lie in the key in ascending order.
        case json(keys: [Range<Int>])
        case uninspectedJSON
        case form
        case raw
        case refused(RequestFault)
    }

    /// A longer key, in bytes, is not worth keeping: its request will hardly come again, and many of them would
    /// fill a cache.
    static let longestKey = 8_192

    var keyWriter = ShapeKey()
    /// Decoded values of parameters and of form fields, by slot.
    package internal(set) var values = Values()
    /// The payload for the database: the request's body, or JSON made of CSV or of a form.
    package internal(set) var body: [UInt8] = []
    /// Whether ``key`` may be looked up. Otherwise something is amiss, or unusual, and the request has to be
    /// read in full.
    package internal(set) var isComplete = true
    var parameters: [Parameter] = []
    var payload: Payload = .none
    /// Set when there are more parameters than the limit allows.
    var hasTooManyParameters = false

    package init() {}

    /// What the requests of this shape have in common.
    package var key: [UInt8] { keyWriter.bytes }

    mutating func removeAll() {
        keyWriter.removeAll()
        values.removeAll()
        body = []
        isComplete = true
        parameters.removeAll(keepingCapacity: true)
        payload = .none
        hasTooManyParameters = false
    }

    /// The text at `range` of the key. What is no UTF-8 becomes U+FFFD.
    func text(_ range: Range<Int>) -> String {
        String(decoding: key[range], as: UTF8.self)
    }
}
