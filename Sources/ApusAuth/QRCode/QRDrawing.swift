/// Puts the codewords among the patterns that readers look for (ISO/IEC 18004 §6.3, §7.7 to §7.10).
struct QRDrawing {
    private let version: QRVersion
    private let size: Int
    private var modules: [Bool]
    /// Patterns that stay as they are, whatever the mask.
    private var isFixed: [Bool]

    init(version: QRVersion, codewords: [UInt8]) {
        self.version = version
        size = version.size
        modules = Array(repeating: false, count: size * size)
        isFixed = modules
        drawPatterns()
        drawData(codewords)
    }

    /// The modules, row by row, under the mask that reads best.
    func masked() -> [Bool] {
        var best: (penalty: Int, modules: [Bool])?
        for mask in 0..<8 {
            var copy = self
            copy.apply(mask: mask)
            let penalty = QRPenalty(size: size, modules: copy.modules).total
            if penalty < best?.penalty ?? .max { best = (penalty, copy.modules) }
        }
        return best?.modules ?? modules
    }

    // MARK: - Patterns

    private mutating func set(_ column: Int, _ row: Int, _ isDark: Bool) {
        modules[row * size + column] = isDark
        isFixed[row * size + column] = true
    }

    private mutating func drawPatterns() {
        for index in 0..<size {
            set(index, 6, index % 2 == 0)
            set(6, index, index % 2 == 0)
        }
        for (column, row) in [(3, 3), (size - 4, 3), (3, size - 4)] { drawFinder(column, row) }
        let centres = version.alignmentCentres
        let last = centres.count - 1
        for (x, column) in centres.enumerated() {
            for (y, row) in centres.enumerated() {
                // Three corners belong to the finders.
                if (x, y) != (0, 0), (x, y) != (last, 0), (x, y) != (0, last) { drawAlignment(column, row) }
            }
        }
        drawFormat(mask: 0)
        if version.number >= 7 { drawVersion() }
    }

    /// Rings around a centre, with the light separator.
    private mutating func drawFinder(_ column: Int, _ row: Int) {
        for y in max(0, row - 4)...min(size - 1, row + 4) {
            for x in max(0, column - 4)...min(size - 1, column + 4) {
                let distance = max(abs(x - column), abs(y - row))
                set(x, y, distance != 2 && distance != 4)
            }
        }
    }

    private mutating func drawAlignment(_ column: Int, _ row: Int) {
        for y in -2...2 { for x in -2...2 { set(column + x, row + y, max(abs(x), abs(y)) != 1) } }
    }

    /// Level and mask, twice (§7.9): level M is 00, BCH with 10100110111, masked with 101010000010010.
    private mutating func drawFormat(mask: Int) {
        var remainder = mask
        for _ in 0..<10 { remainder = remainder << 1 ^ (remainder >> 9) * 0b101_0011_0111 }
        let bits = (mask << 10 | remainder) ^ 0b101_0100_0001_0010
        for index in 0..<15 {
            let isDark = bits >> index & 1 == 1
            switch index {
            case 0..<6: set(8, index, isDark)
            case 6, 7: set(8, index + 1, isDark)
            case 8: set(7, 8, isDark)
            default: set(14 - index, 8, isDark)
            }
            if index < 8 { set(size - 1 - index, 8, isDark) } else { set(8, size - 15 + index, isDark) }
        }
        set(8, size - 8, true)
    }

    /// The version's number, twice (§7.10): BCH with 1111100100101.
    private mutating func drawVersion() {
        var remainder = version.number
        for _ in 0..<12 { remainder = remainder << 1 ^ (remainder >> 11) * 0b1_1111_0010_0101 }
        let bits = version.number << 12 | remainder
        for index in 0..<18 {
            let isDark = bits >> index & 1 == 1
            set(size - 11 + index % 3, index / 3, isDark)
            set(index / 3, size - 11 + index % 3, isDark)
        }
    }

    // MARK: - Data

    /// Two columns at a time from the right, up and down in turns (§7.7.3).
    private mutating func drawData(_ codewords: [UInt8]) {
        var bit = 0
        var isUpward = true
        var right = size - 1
        while right > 0 {
            if right == 6 { right -= 1 }  // The timing pattern's column.
            for step in 0..<size {
                let row = isUpward ? size - 1 - step : step
                for column in [right, right - 1]
                where !isFixed[row * size + column] && bit < codewords.count * 8 {
                    modules[row * size + column] = codewords[bit / 8] >> (7 - bit % 8) & 1 == 1
                    bit += 1
                }
            }
            isUpward.toggle()
            right -= 2
        }
    }

    /// Inverts modules by one of the eight conditions (§7.8.2, table 10), and says which in the format information.
    private mutating func apply(mask: Int) {
        for y in 0..<size {
            for x in 0..<size where !isFixed[y * size + x] {
                let inverts =
                    switch mask {
                    case 0: (x + y) % 2 == 0
                    case 1: y % 2 == 0
                    case 2: x % 3 == 0
                    case 3: (x + y) % 3 == 0
                    case 4: (x / 3 + y / 2) % 2 == 0
                    case 5: x * y % 2 + x * y % 3 == 0
                    case 6: (x * y % 2 + x * y % 3) % 2 == 0
                    default: ((x + y) % 2 + x * y % 3) % 2 == 0
                    }
                if inverts { modules[y * size + x].toggle() }
            }
        }
        drawFormat(mask: mask)
    }
}
