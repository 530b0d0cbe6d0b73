import ApusPostgres

/// What an `ETag` of a read says (RFC 9110 §8.8.3): until which moment of the feed the answer is known to hold, for
/// whom and for what it was made, and what it was.
///
/// Weak, because equal rows may come in another order.
package struct EntityTag: Sendable, Hashable {
    package var reading: RelationClock.Reading
    /// Of the request and what of its caller decides about the answer.
    package var key: UInt64
    /// Of the answer's bytes.
    package var body: UInt64

    package init(reading: RelationClock.Reading, key: UInt64, body: UInt64) {
        self.reading = reading
        self.key = key
        self.body = body
    }

    /// Says what the answer was, and nothing of how long it holds: for reads of which the feed cannot tell.
    package init(content body: UInt64) {
        self.init(reading: .init(epoch: 0, position: .zero), key: 0, body: body)
    }

    /// Reads one tag; nil for one that is not of this form.
    package init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        if rest.hasPrefix("W/") { rest = rest.dropFirst(2) }
        guard rest.utf8.count < 90, rest.hasPrefix("\""), rest.hasSuffix("\""), rest.utf8.count > 2 else {
            return nil
        }
        let parts = rest.dropFirst().dropLast().split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, let epoch = UInt64(parts[0], radix: 16),
            let position = UInt64(parts[1], radix: 16), let key = UInt64(parts[2], radix: 16),
            let body = UInt64(parts[3], radix: 16)
        else { return nil }
        self.init(reading: .init(epoch: epoch, position: LSN(position)), key: key, body: body)
    }

    /// The tags of an `If-None-Match` that are of this form.
    package static func list(_ field: String) -> [EntityTag] {
        field.split(separator: ",").prefix(16).compactMap { part in
            EntityTag(part.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
        }
    }

    /// As it stands in a header field.
    package var text: String {
        String(unsafeUninitializedCapacity: 4 + 4 * 17) { buffer in
            var length = 0
            func put(_ byte: UInt8) {
                buffer[length] = byte
                length += 1
            }
            put(UInt8(ascii: "W"))
            put(UInt8(ascii: "/"))
            func put(after mark: UInt8, hexadecimal number: UInt64) {
                put(mark)
                var digits = max(1, (67 - number.leadingZeroBitCount) / 4)
                while digits > 0 {
                    digits -= 1
                    let digit = UInt8(truncatingIfNeeded: number >> UInt64(digits * 4)) & 15
                    put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            }
            put(after: UInt8(ascii: "\""), hexadecimal: reading.epoch)
            put(after: UInt8(ascii: "-"), hexadecimal: reading.position.value)
            put(after: UInt8(ascii: "-"), hexadecimal: key)
            put(after: UInt8(ascii: "-"), hexadecimal: body)
            put(UInt8(ascii: "\""))
            return length
        }
    }
}

/// A hash that is the same in every process (FNV-1a over words of eight bytes, in four lanes, mixed at the end). Not for
/// secrets.
package struct ContentHash: Sendable {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        // A lane's step waits for its last one, so four of them go side by side.
        if bytes.count >= 32 {
            var (first, second, third, fourth) = (value, value ^ 1, value ^ 2, value ^ 3)
            while position + 32 <= bytes.count {
                Self.step(&first, bytes, position)
                Self.step(&second, bytes, position + 8)
                Self.step(&third, bytes, position + 16)
                Self.step(&fourth, bytes, position + 24)
                position += 32
            }
            Self.step(&value, first)
            Self.step(&value, second)
            Self.step(&value, third)
            Self.step(&value, fourth)
        }
        while position + 8 <= bytes.count {
            Self.step(&value, bytes, position)
            position += 8
        }
        var last: UInt64 = 0
        while position < bytes.count {
            last = last << 8 | UInt64(bytes[position])
            position += 1
        }
        Self.step(&value, last ^ UInt64(truncatingIfNeeded: bytes.count) << 56)
    }

    package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    package func finish() -> UInt64 {
        var mixed = value &* 0x9e37_79b9_7f4a_7c15
        mixed ^= mixed >> 32
        return mixed
    }

    // MARK: - Non public

    private static func step(_ lane: inout UInt64, _ bytes: UnsafeRawBufferPointer, _ position: Int) {
        step(&lane, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
    }

    private static func step(_ lane: inout UInt64, _ word: UInt64) {
        lane = (lane ^ word) &* 0x0000_0100_0000_01b3
        lane ^= lane >> 29
    }
}
