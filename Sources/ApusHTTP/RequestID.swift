import Synchronization

/// Names one request in logs.
package enum RequestID: Sendable, CustomStringConvertible {
    /// Sent by the client or by a proxy in front.
    case given(String)
    /// Made here: a random start of this process and a counter, written as text only when somebody looks.
    case numbered(UInt64)

    private static let process = UInt32.random(in: .min ... .max)
    private static let counter = Atomic<UInt64>(0)

    /// The next number of this process.
    package static func next() -> RequestID {
        .numbered(counter.add(1, ordering: .relaxed).newValue)
    }

    /// Longest id that is taken from a client; a longer one, or one with other characters than letters,
    /// digits, `-`, `_`, `.` and `:`, is replaced, because it would end up in logs.
    private static let longest = 128

    package init?(given header: String) {
        guard !header.isEmpty, header.utf8.count <= Self.longest, header.utf8.allSatisfy(Self.isHarmless)
        else {
            return nil
        }
        self = .given(header)
    }

    package var description: String {
        switch self {
        case .given(let text): text
        case .numbered(let number): "\(String(Self.process, radix: 16))-\(String(number, radix: 16))"
        }
    }

    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"): true
        default: false
        }
    }
}
