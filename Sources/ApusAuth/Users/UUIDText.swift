/// UUIDs (RFC 9562) as text in lower case, which is how PostgreSQL writes them and tokens carry them.
package enum UUIDText {
    /// A new random one (version 4).
    package static func random() -> String {
        shaped(RandomBytes.make(16))
    }

    /// 16 bytes as a UUID of version 4.
    static func shaped(_ bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return "" }
        var bytes = bytes
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return write(bytes)
    }

    /// The canonical form; nil for anything but 36 characters of it in any case.
    package static func read(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return nil }
        for (index, byte) in bytes.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            guard isDash ? byte == UInt8(ascii: "-") : Hexadecimal.digit(byte) != nil else { return nil }
        }
        return text.lowercased()
    }

    /// The 16 bytes of what ``read(_:)`` gave.
    static func bytes(_ text: String) -> [UInt8]? {
        let bytes = Hexadecimal.decode(text.utf8.filter { $0 != UInt8(ascii: "-") })
        return bytes?.count == 16 ? bytes : nil
    }

    /// The text of 16 bytes.
    static func write(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array(Hexadecimal.encode(bytes).utf8)
        guard digits.count == 32 else { return "" }
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
    }
}

/// Bytes from the system's random source.
package enum RandomBytes {
    package static func make(_ count: Int) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }
}

/// Base 16 (RFC 4648, 8), written in lower case.
package enum Hexadecimal {
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil for an odd number of characters or one that is no digit.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = digit(character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
