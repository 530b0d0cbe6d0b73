/// One of the forty sizes of a QR code (ISO/IEC 18004 §6.1), at error correction level M.
struct QRVersion: Sendable {
    /// 1…40
    let number: Int

    /// The smallest that holds so many bytes; nil when none does.
    static func smallest(for bytes: Int) -> QRVersion? {
        (1...40).lazy.map { QRVersion(number: $0) }.first { version in
            // Mode indicator, number of bytes, bytes.
            (4 + version.countBits + bytes * 8 + 7) / 8 <= version.dataCodewords
        }
    }

    /// Modules of a side.
    var size: Int { 17 + 4 * number }

    /// Bits of the number of bytes (table 3).
    var countBits: Int { number < 10 ? 8 : 16 }

    /// Error correction codewords of one block (table 9, level M).
    var correctionPerBlock: Int { Self.correction[number - 1] }

    /// Blocks that the data is divided into (table 9, level M).
    var blocks: Int { Self.blockCounts[number - 1] }

    /// Codewords of data and correction together: the modules that no function pattern takes, in bytes (table 1).
    var codewords: Int {
        // Finders with their separators; format information and the dark module.
        var modules = size * size - 3 * 64 - 31
        modules -= 2 * (size - 16)  // Timing patterns.
        let centres = alignmentCentres.count
        if centres > 0 {
            modules -= 25 * (centres * centres - 3)
            // Those that lie on the timing patterns share five modules with them.
            modules += 2 * 5 * (centres - 2)
        }
        if number >= 7 { modules -= 36 }  // Version information.
        return modules / 8
    }

    var dataCodewords: Int { codewords - blocks * correctionPerBlock }

    /// Rows and columns of the centres of alignment patterns (annex E): evenly spaced from the end, first at 6.
    var alignmentCentres: [Int] {
        guard number > 1 else { return [] }
        let count = number / 7 + 2
        let last = size - 7
        // The distance is even, and rounded so that only the first one differs.
        let exact = Double(last - 6) / Double(count - 1)
        let step = number == 32 ? 26 : Int((exact / 2).rounded(.up)) * 2
        return [6] + (0..<count - 1).reversed().map { last - $0 * step }
    }

    private static let correction = [
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
        26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    ]
    private static let blockCounts = [
        1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
        17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49,
    ]
}
