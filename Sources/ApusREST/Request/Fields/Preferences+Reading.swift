package import ApusPlanner

extension Preferences {
    /// Reads the lines of `Prefer` (RFC 7240 §2). Of a preference that is given twice, the first one counts.
    ///
    /// - Parameter allowsTransaction: whether `tx=` counts; it is no unknown preference where it does not.
    package init(reading lines: [String], allowsTransaction: Bool) {
        self.init()
        for line in lines {
            for part in line.split(separator: ",") {
                read(part.trimmingBlanks, allowsTransaction: allowsTransaction)
            }
        }
    }

    private mutating func read(_ preference: Substring, allowsTransaction: Bool) {
        guard !preference.isEmpty else { return }
        let parts = preference.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? String(parts[1]) : nil
        switch (parts[0], value) {
        case ("return", let value?): note(value, in: \.representation, else: preference)
        case ("count", let value?): note(value, in: \.count, else: preference)
        case ("resolution", let value?): note(value, in: \.resolution, else: preference)
        case ("missing", let value?): note(value, in: \.missing, else: preference)
        case ("handling", let value?): note(value, in: \.handling, else: preference)
        case ("tx", let value?) where allowsTransaction: note(value, in: \.transaction, else: preference)
        case ("tx", let value?) where Transaction(rawValue: value) != nil: break
        case ("timezone", let value?): timezone = timezone ?? value
        case ("max-affected", let value?): maxAffected = maxAffected ?? Int(value)
        default: unknown.append(String(preference))
        }
    }

    private mutating func note<Choice: RawRepresentable<String>>(
        _ value: String, in property: WritableKeyPath<Preferences, Choice?>, else preference: Substring
    ) {
        guard let choice = Choice(rawValue: value) else {
            unknown.append(String(preference))
            return
        }
        if self[keyPath: property] == nil { self[keyPath: property] = choice }
    }
}

extension Substring {
    /// Without blanks (RFC 9110 §5.6.3) at its ends.
    var trimmingBlanks: Substring {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = utf8.firstIndex(where: { !isBlank($0) }),
            let last = utf8.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return self[first...last]
    }
}
