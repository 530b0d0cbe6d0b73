/// From bytes to the codewords in the order in which they are drawn (ISO/IEC 18004 §7.4 to §7.6).
enum QRCodewords {
    static func interleaved(_ bytes: [UInt8], _ version: QRVersion) -> [UInt8] {
        let data = padded(bytes, version)
        let correction = ReedSolomon(degree: version.correctionPerBlock)
        // The last blocks are one codeword longer, when the data does not divide evenly.
        let short = data.count / version.blocks
        let shortBlocks = version.blocks - data.count % version.blocks
        var blocks: [ArraySlice<UInt8>] = []
        var start = 0
        for block in 0..<version.blocks {
            let length = short + (block < shortBlocks ? 0 : 1)
            blocks.append(data[start..<start + length])
            start += length
        }
        var result: [UInt8] = []
        result.reserveCapacity(version.codewords)
        for index in 0...short {
            for block in blocks where index < block.count { result.append(block[block.startIndex + index]) }
        }
        let remainders = blocks.map { correction.remainder(of: $0) }
        for index in 0..<version.correctionPerBlock {
            for remainder in remainders { result.append(remainder[index]) }
        }
        return result
    }

    /// Mode, count, bytes, terminator, and padding up to the capacity (§7.4.9 and §7.4.10).
    private static func padded(_ bytes: [UInt8], _ version: QRVersion) -> [UInt8] {
        var bits = QRBits()
        bits.append(0b0100, count: 4)
        bits.append(bytes.count, count: version.countBits)
        for byte in bytes { bits.append(Int(byte), count: 8) }
        bits.append(0, count: min(4, version.dataCodewords * 8 - bits.count))
        bits.append(0, count: (8 - bits.count % 8) % 8)
        var data = bits.bytes
        for index in 0..<(version.dataCodewords - data.count) { data.append(index % 2 == 0 ? 0xEC : 0x11) }
        return data
    }
}

/// Bits, most significant first.
private struct QRBits {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0

    mutating func append(_ value: Int, count: Int) {
        for bit in (0..<count).reversed() {
            if self.count % 8 == 0 { bytes.append(0) }
            if value >> bit & 1 == 1 { bytes[bytes.count - 1] |= 0x80 >> (self.count % 8) }
            self.count += 1
        }
    }
}

/// Reed–Solomon codes over GF(2⁸) with x⁸ + x⁴ + x³ + x² + 1 (ISO/IEC 18004 §7.5).
private struct ReedSolomon {
    /// Coefficients of (x − 2⁰)(x − 2¹)…, highest first, without the leading 1.
    private let generator: [UInt8]

    init(degree: Int) {
        var product: [UInt8] = [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            var next = product + [0]
            for (index, coefficient) in product.enumerated() {
                next[index + 1] ^= Self.multiply(coefficient, root)
            }
            product = next
            root = Self.multiply(root, 2)
        }
        generator = Array(product.dropFirst())
    }

    func remainder(of data: some Sequence<UInt8>) -> [UInt8] {
        var remainder = [UInt8](repeating: 0, count: generator.count)
        for byte in data {
            let factor = byte ^ remainder.removeFirst()
            remainder.append(0)
            for index in generator.indices { remainder[index] ^= Self.multiply(generator[index], factor) }
        }
        return remainder
    }

    private static func multiply(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (left, right, product) = (Int(left), Int(right), 0)
        while right > 0 {
            if right & 1 == 1 { product ^= left }
            left <<= 1
            if left & 0x100 != 0 { left ^= 0x11D }
            right >>= 1
        }
        return UInt8(product)
    }
}
