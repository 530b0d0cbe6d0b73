/// A value that is not null, in a form that compares and hashes as its type does in PostgreSQL.
package enum Scalar: Sendable, Hashable {
    case boolean(Bool)
    case integer(Int64)
    /// A number that is no integer of 64 bits.
    case decimal(Decimal)
    case text([UInt8])
    case uuid(UInt64, UInt64)
    /// Days, or microseconds, since 2000-01-01; `Int64.min` and `.max` are the infinities. Date, timestamp and
    /// timestamptz are told apart by their ``ScalarKind``, never compared with each other.
    case instant(Int64)

    /// Reads the type's text form under `DateStyle = ISO`; nil for what is none.
    package init?(_ text: ArraySlice<UInt8>, kind: ScalarKind) {
        switch kind {
        case .boolean:
            switch text.count == 1 ? text[text.startIndex] : 0 {
            case UInt8(ascii: "t"): self = .boolean(true)
            case UInt8(ascii: "f"): self = .boolean(false)
            default: return nil
            }
        case .number:
            if let integer = Self.integer(text) {
                self = .integer(integer)
            } else {
                guard let decimal = Decimal(text) else { return nil }
                self = decimal.integer.map { .integer($0) } ?? .decimal(decimal)
            }
        case .text: self = .text(Array(text))
        case .uuid:
            guard let (high, low) = Self.uuid(text) else { return nil }
            self = .uuid(high, low)
        case .date:
            guard let days = CalendarText.days(text) else { return nil }
            self = .instant(days)
        case .timestamp, .timestamptz:
            guard let micros = CalendarText.microseconds(text, hasZone: kind == .timestamptz) else {
                return nil
            }
            self = .instant(micros)
        }
    }

    /// How two values of one kind are ordered; nil when they are of different kinds.
    func compare(_ other: Scalar) -> Order? {
        switch (self, other) {
        case (.boolean(let left), .boolean(let right)): Order(left ? 1 : 0, right ? 1 : 0)
        case (.integer(let left), .integer(let right)): Order(left, right)
        case (.integer(let left), .decimal(let right)): Decimal(left).compare(right)
        case (.decimal(let left), .integer(let right)): left.compare(Decimal(right))
        case (.decimal(let left), .decimal(let right)): left.compare(right)
        case (.text(let left), .text(let right)): left == right ? .same : .unordered
        case (.uuid(let high, let low), .uuid(let otherHigh, let otherLow)):
            high == otherHigh ? Order(low, otherLow) : Order(high, otherHigh)
        case (.instant(let left), .instant(let right)): Order(left, right)
        default: nil
        }
    }

    /// The outcome of comparing two values.
    enum Order {
        case before, same, after
        /// Different, and which comes first is not decided here.
        case unordered

        init<Value: Comparable>(_ left: Value, _ right: Value) {
            self = left < right ? .before : left == right ? .same : .after
        }
    }

    // MARK: - Non public

    private static func integer(_ text: ArraySlice<UInt8>) -> Int64? {
        guard !text.isEmpty, text.count <= 19 else { return nil }
        var bytes = text
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var value: Int64 = 0
        for byte in bytes {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return isNegative ? -value : value
    }

    private static func uuid(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
        guard text.count == 36 else { return nil }
        var (high, low, digits) = (UInt64(0), UInt64(0), 0)
        for byte in text {
            let nibble: UInt64
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = UInt64(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = UInt64(byte - UInt8(ascii: "A")) + 10
            case UInt8(ascii: "-"): continue
            default: return nil
            }
            if digits < 16 { high = high << 4 | nibble } else { low = low << 4 | nibble }
            digits += 1
        }
        return digits == 32 ? (high, low) : nil
    }
}
