#if canImport(CCrypt)
    import CCrypt
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A bcrypt hash that another system made: `$2a$`, `$2b$` or `$2y$`, a cost, and 53 characters. Checked by the
/// system's crypt(3) (libxcrypt).
package struct BcryptHash: Sendable {
    /// 2^14 rounds take about a second; a dearer hash would be a way to keep the server busy.
    package static let maximumCost = 14
    /// bcrypt ignores what follows; a longer password is refused and not cut (ASVS 6.2.8).
    package static let maximumPasswordBytes = 72

    private let text: String

    /// nil for what is no bcrypt hash, or one with a cost outside 4…``maximumCost``.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 60, bytes.starts(with: Array("$2".utf8)), "aby".utf8.contains(bytes[2]),
            bytes[3] == UInt8(ascii: "$"), bytes[6] == UInt8(ascii: "$"),
            let cost = Int(String(decoding: bytes[4..<6], as: UTF8.self)),
            (4...Self.maximumCost).contains(cost),
            bytes[7...].allSatisfy(Self.isInAlphabet)
        else { return nil }
        self.text = text
    }

    /// Whether this is the hash of `password`. Takes 2^cost rounds: never call it on an event loop.
    package func verify(_ password: [UInt8]) -> Bool {
        guard password.count <= Self.maximumPasswordBytes, !password.contains(0) else { return false }
        #if canImport(CCrypt)
            var data: UnsafeMutableRawPointer?
            var size: Int32 = 0
            defer { free(data) }
            let phrase = password.map { CChar(bitPattern: $0) } + [0]
            guard let made = crypt_ra(phrase, text, &data, &size) else { return false }
            return ConstantTime.equal(Array(String(cString: made).utf8), Array(text.utf8))
        #else
            return false
        #endif
    }

    private static func isInAlphabet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
