import Testing

@testable import ApusRealtime

/// The hash by which tags tell answers apart.
@Suite struct ContentHashTests {
    private static func hash(_ parts: [UInt8]...) -> UInt64 {
        var hash = ContentHash()
        for part in parts { hash.add(part) }
        return hash.finish()
    }

    /// Clients hold tags longer than a process lives, and other nodes give them: a change of these is one of the protocol.
    @Test func isTheSameInEveryProcess() {
        let bytes = [UInt8](0..<100)
        #expect(Self.hash([]) == 0xfdcc_b981_a004_fdd6)
        #expect(Self.hash(Array(bytes.prefix(7))) == 0xcb3a_d380_62cb_9394)
        #expect(Self.hash(Array(bytes.prefix(32))) == 0xb89e_cf88_0b5a_c16e)
        #expect(Self.hash(bytes) == 0xba8e_1d9b_f975_6cf0)
    }

    @Test func everyByteAndEveryLengthCount() {
        var seen: Set<UInt64> = []
        for count in 0...140 {
            var bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
            seen.insert(Self.hash(bytes))
            for index in bytes.indices {
                bytes[index] ^= 0x80
                seen.insert(Self.hash(bytes))
                bytes[index] ^= 0x80
            }
        }
        #expect(seen.count == 141 + 140 * 141 / 2)
    }

    @Test func wordsInAnotherOrderAreOthers() {
        let words = (0..<8).map { [UInt8](repeating: UInt8($0), count: 8) }
        var seen: Set<UInt64> = []
        for first in words.indices {
            for second in words.indices where second >= first {
                var words = words
                words.swapAt(first, second)
                seen.insert(Self.hash(Array(words.joined())))
            }
        }
        #expect(seen.count == 1 + 8 * 7 / 2)
    }

    @Test func whereOnePartEndsCounts() {
        #expect(Self.hash([1, 2], [3]) != Self.hash([1], [2, 3]))
        #expect(Self.hash([1, 2], []) != Self.hash([1, 2]))
    }
}
