/// The key of a request's shape while it is written: parts, each with its length before it, so that no two
/// lists of parts have the same bytes.
struct ShapeKey: Sendable {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(Self.commonLength) }

    /// Most keys are shorter, in bytes.
    private static let commonLength = 240

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func append(tag: UInt8) {
        bytes.append(tag)
    }

    mutating func setTag(_ tag: UInt8, at index: Int) {
        bytes[index] = tag
    }

    mutating func truncate(to count: Int) {
        bytes.removeSubrange(count...)
    }

    /// Adds what `write` appends as one part, and returns where it lies.
    @discardableResult
    mutating func appendPart(_ write: (inout [UInt8]) -> Void) -> Range<Int> {
        let lengthIndex = bytes.count
        for _ in 0..<4 { bytes.append(0) }
        let start = bytes.count
        write(&bytes)
        var length = UInt32(truncatingIfNeeded: bytes.count - start)
        for offset in 0..<4 {
            bytes[lengthIndex + offset] = UInt8(truncatingIfNeeded: length)
            length >>= 8
        }
        return start..<bytes.count
    }

    mutating func append(_ text: String) {
        appendPart { $0.append(contentsOf: text.utf8) }
    }

    /// An absent part is not an empty one.
    mutating func append(_ text: String?) {
        append(tag: text == nil ? 0 : 1)
        if let text { append(text) }
    }

    mutating func append(_ texts: [String]) {
        append(tag: UInt8(truncatingIfNeeded: min(texts.count, 255)))
        for text in texts { append(text) }
    }
}
