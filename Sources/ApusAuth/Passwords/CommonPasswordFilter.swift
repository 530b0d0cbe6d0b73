/// Whether a password is one of those that leaked most, without the passwords: an xor filter (Graf and Lemire, "Xor
/// Filters", 2020). Each password has a place in each third of a table; what stands at its three places makes its
/// fingerprint. One in 65,536 others seems to be in it too.
///
/// `scripts/common-passwords` makes the table.
struct CommonPasswordFilter: Sendable {
    /// The built-in one: 300 kB, unpacked when the first password is looked at.
    static let builtIn = CommonPasswordFilter(CommonPasswords.tableText, seed: CommonPasswords.tableSeed)

    private let table: [UInt16]
    private let third: UInt64
    private let seed: UInt64

    private init(_ text: StaticString, seed: UInt64) {
        let bytes = text.withUTF8Buffer { Base64Text.decode(String(decoding: $0, as: UTF8.self)) ?? [] }
        table = stride(from: 0, to: bytes.count - 1, by: 2).map { place in
            UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
        }
        third = UInt64(table.count / 3)
        self.seed = seed
    }

    /// - Parameter password: in lower case.
    func contains(_ password: String) -> Bool {
        let hash = Self.mixed(LeakedPasswords.entry(of: password) &+ seed)
        var value = UInt16(truncatingIfNeeded: hash ^ hash >> 32)
        for (part, turn) in [UInt64(0), 21, 42].enumerated() {
            let turned = (turn == 0 ? hash : hash << turn | hash >> (64 - turn)) & 0xFFFF_FFFF
            value ^= table[part * Int(third) + Int((turned * third) >> 32)]
        }
        return value == 0
    }

    /// Spreads every bit over all others (the finalizer of MurmurHash3).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var number = number
        number ^= number >> 33
        number = number &* 0xFF51_AFD7_ED55_8CCD
        number ^= number >> 33
        number = number &* 0xC4CE_B9FE_1A85_EC53
        return number ^ number >> 33
    }
}
