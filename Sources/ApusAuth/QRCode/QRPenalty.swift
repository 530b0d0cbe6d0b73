/// How badly a masked code may be read (ISO/IEC 18004 §7.8.3, table 11).
struct QRPenalty {
    let size: Int
    let modules: [Bool]

    var total: Int { runs + squares + finderLikes + imbalance }

    private func isDark(_ index: Int, _ line: Int, _ isColumn: Bool) -> Bool {
        isColumn ? modules[index * size + line] : modules[line * size + index]
    }

    /// Five or more of one colour in a line.
    private var runs: Int {
        var penalty = 0
        for isColumn in [false, true] {
            for line in 0..<size {
                var length = 1
                for index in 1...size {
                    if index < size, isDark(index, line, isColumn) == isDark(index - 1, line, isColumn) {
                        length += 1
                    } else {
                        if length >= 5 { penalty += length - 2 }
                        length = 1
                    }
                }
            }
        }
        return penalty
    }

    /// Two by two of one colour.
    private var squares: Int {
        var penalty = 0
        for y in 0..<size - 1 {
            for x in 0..<size - 1 {
                let corner = modules[y * size + x]
                if modules[y * size + x + 1] == corner, modules[(y + 1) * size + x] == corner,
                    modules[(y + 1) * size + x + 1] == corner
                {
                    penalty += 3
                }
            }
        }
        return penalty
    }

    /// 1:1:3:1:1 with four light modules on either side, which looks like a finder.
    private var finderLikes: Int {
        let before: [Bool] = [false, false, false, false, true, false, true, true, true, false, true]
        let after = Array(before.reversed())
        var penalty = 0
        for isColumn in [false, true] {
            for line in 0..<size {
                for start in 0...(size - 11) {
                    let window = (start..<start + 11).lazy.map { isDark($0, line, isColumn) }
                    if window.elementsEqual(before) || window.elementsEqual(after) { penalty += 40 }
                }
            }
        }
        return penalty
    }

    /// Ten for every 5 % that the share of dark modules is away from a half.
    private var imbalance: Int {
        let dark = modules.count { $0 }
        return abs(dark * 20 - modules.count * 10) / modules.count * 10
    }
}
