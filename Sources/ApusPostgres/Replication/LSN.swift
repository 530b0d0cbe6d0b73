/// A position in the write-ahead log, in bytes from its beginning (PostgreSQL, "pg_lsn Type").
package struct LSN: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var value: UInt64

    /// Before everything.
    package static let zero = LSN(0)

    package init(_ value: UInt64) { self.value = value }

    /// Reads PostgreSQL's text, two hexadecimal numbers: `16/B374D848`. nil for anything else.
    package init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = Self.half(halves[0]), let low = Self.half(halves[1]) else {
            return nil
        }
        value = UInt64(high) << 32 | UInt64(low)
    }

    /// As PostgreSQL writes it.
    package var description: String {
        String(value >> 32, radix: 16, uppercase: true) + "/"
            + String(value & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    package static func < (left: LSN, right: LSN) -> Bool { left.value < right.value }

    /// `Int(_:radix:)` would take a sign.
    private static func half(_ text: some StringProtocol) -> UInt32? {
        guard text.utf8.first != UInt8(ascii: "+"), text.utf8.first != UInt8(ascii: "-") else { return nil }
        return UInt32(text, radix: 16)
    }
}
