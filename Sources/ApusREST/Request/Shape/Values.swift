/// The values of a request, percent-decoded, in one piece of memory. A plan's operands name them by index.
package struct Values: Sendable, Equatable {
    /// All values, one after the other.
    package private(set) var arena: [UInt8] = []
    /// Where each value lies in ``arena``.
    package private(set) var ranges: [Range<Int>] = []

    package init() {}

    package var count: Int { ranges.count }

    package subscript(index: Int) -> ArraySlice<UInt8> { arena[ranges[index]] }

    /// Forgets all values and keeps the memory.
    package mutating func removeAll() {
        arena.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
    }

    /// Adds a value that is still percent-encoded.
    mutating func append(encoded bytes: UnsafeBufferPointer<UInt8>.SubSequence) {
        let start = arena.count
        arena.reserveCapacity(start + bytes.count)
        appendPercentDecoded(bytes, to: &arena)
        ranges.append(start..<arena.count)
    }
}
