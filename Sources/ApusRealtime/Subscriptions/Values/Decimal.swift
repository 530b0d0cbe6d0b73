/// A `numeric` of any size, reduced so that equal numbers are equal values: `1.50` is `1.5`.
///
/// `NaN` equals itself and is greater than every number (PostgreSQL, "Arbitrary Precision Numbers").
package struct Decimal: Sendable, Hashable {
    private enum Rank: Int, Sendable {
        case negativeInfinity, number, infinity, notANumber
    }

    private var rank = Rank.number
    private var isNegative = false
    /// Digits before the point, without leading zeros.
    private var whole: [UInt8] = []
    /// Digits behind the point, without zeros at the end.
    private var fraction: [UInt8] = []

    /// Reads what `numeric` prints; nil for anything else.
    package init?(_ text: ArraySlice<UInt8>) {
        switch String(decoding: text.prefix(10), as: UTF8.self) {
        case "NaN": rank = .notANumber
        case "Infinity": rank = .infinity
        case "-Infinity": rank = .negativeInfinity
        default:
            var bytes = text
            isNegative = bytes.first == UInt8(ascii: "-")
            if isNegative { bytes = bytes.dropFirst() }
            let parts = bytes.split(
                separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, !first.isEmpty || parts.count == 2,
                parts.allSatisfy({ $0.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } }),
                bytes.count > (parts.count == 2 ? 1 : 0)
            else { return nil }
            whole = Array(first.drop { $0 == UInt8(ascii: "0") })
            if parts.count == 2 {
                fraction = Array(parts[1].reversed().drop { $0 == UInt8(ascii: "0") }.reversed())
            }
            if whole.isEmpty, fraction.isEmpty { isNegative = false }
        }
    }

    init(_ integer: Int64) {
        isNegative = integer < 0
        whole = integer == 0 ? [] : Array(String(integer.magnitude).utf8)
    }

    /// The number as an integer of 18 digits or fewer, if it is one.
    var integer: Int64? {
        guard rank == .number, fraction.isEmpty, whole.count <= 18 else { return nil }
        let magnitude = whole.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return isNegative ? -magnitude : magnitude
    }

    func compare(_ other: Decimal) -> Scalar.Order {
        if rank != other.rank || rank != .number { return Scalar.Order(rank.rawValue, other.rank.rawValue) }
        if isNegative != other.isNegative { return isNegative ? .before : .after }
        let magnitude = magnitudeOrder(other)
        guard isNegative else { return magnitude }
        switch magnitude {
        case .before: return .after
        case .after: return .before
        default: return .same
        }
    }

    private func magnitudeOrder(_ other: Decimal) -> Scalar.Order {
        if whole.count != other.whole.count { return Scalar.Order(whole.count, other.whole.count) }
        if whole != other.whole { return whole.lexicographicallyPrecedes(other.whole) ? .before : .after }
        if fraction == other.fraction { return .same }
        return fraction.lexicographicallyPrecedes(other.fraction) ? .before : .after
    }
}
