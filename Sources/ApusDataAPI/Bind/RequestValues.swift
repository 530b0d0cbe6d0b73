/// The values that a request carries beside its shape: decoded query parameter values, one after the other
/// in one piece of memory.
package struct RequestValues: Sendable, Hashable {
    /// All values.
    package var arena: [UInt8]
    /// Where in ``arena`` the value of each slot lies.
    package var ranges: [Range<Int>]

    package init(arena: [UInt8] = [], ranges: [Range<Int>] = []) {
        self.arena = arena
        self.ranges = ranges
    }

    /// Appends a value as the next slot.
    package mutating func append(_ value: some Collection<UInt8>) {
        let start = arena.count
        arena.append(contentsOf: value)
        ranges.append(start..<arena.count)
    }

    /// The value of a slot without its first bytes; empty when there is no such slot.
    package func value(at index: Int, dropping count: Int = 0) -> ArraySlice<UInt8> {
        guard ranges.indices.contains(index) else { return [] }
        return arena[ranges[index]].dropFirst(count)
    }
}
