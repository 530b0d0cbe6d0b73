/// Walks over the `name=value` pairs of a query string or a form, still percent-encoded.
///
/// Pairs end at `&` or `;`, as the dialect has it.
struct QueryPairs {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    private let bytes: Bytes
    private var index: Int

    init(_ bytes: Bytes) {
        self.bytes = bytes
        index = bytes.first == UInt8(ascii: "?") ? 1 : 0
    }

    /// The next pair; its value is nil when it has no `=`.
    mutating func next() -> (name: Bytes.SubSequence, value: Bytes.SubSequence?)? {
        guard index < bytes.count else { return nil }
        let start = index
        var equals: Int?
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") { break }
            if byte == UInt8(ascii: "="), equals == nil { equals = index }
            index += 1
        }
        let end = index
        index += 1
        guard let equals else { return (bytes[start..<end], nil) }
        return (bytes[start..<equals], bytes[(equals + 1)..<end])
    }
}
