import ApusPlanner

/// Rows by position, `lower ... upper`; without `upper` to the end.
struct RowInterval: Equatable {
    var lower = 0
    var upper: Int?

    static let all = RowInterval()
    /// What `limit=0` asks for.
    static let none = RowInterval(lower: 0, upper: -1)

    var isEmpty: Bool { upper.map { $0 < lower } ?? false }

    var rowRange: RowRange {
        RowRange(offset: lower, limit: upper.map { $0 - lower + 1 })
    }

    func intersection(_ other: RowInterval) -> RowInterval {
        let upper: Int? =
            switch (upper, other.upper) {
            case (let left?, let right?): min(left, right)
            case (let left, let right): left ?? right
            }
        return RowInterval(lower: max(lower, other.lower), upper: upper)
    }
}

extension RowInterval {
    /// `limit` and `offset` of one level; nil where the parameter is absent.
    init(limit: String?, offset: String?) {
        let limitNumber = limit.flatMap(Self.integer)
        if let offset {
            lower = Self.integer(offset) ?? 0
            // A limit that is no number counts as none, but together with an offset as zero.
            upper = limit == nil ? nil : lower + (limitNumber ?? 0) - 1
        } else {
            upper = limitNumber.map { $0 - 1 }
        }
    }

    /// `first-last` or `first-` of the `Range` field; all else is ignored (RFC 9110 §14.2).
    init(field: String?) {
        self = .all
        guard let parts = field?.split(separator: "-", omittingEmptySubsequences: false), parts.count == 2,
            !parts[0].isEmpty, parts.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } })
        else { return }
        lower = Self.integer(parts[0]) ?? 0
        upper = Self.integer(parts[1])
    }

    /// The top level's rows.
    ///
    /// - Parameters:
    ///   - query: by `limit` and `offset`.
    ///   - field: by the `Range` field.
    static func topLevel(query: RowInterval, field: RowInterval) throws(RequestFault) -> RowInterval {
        if query.upper == RowInterval.none.upper { return .none }
        let both = field.intersection(query)
        if both.isEmpty { throw .range(field.isEmpty ? .lowerAboveUpper : .negativeLimit) }
        return both
    }

    /// A decimal number, held within what can be added without overflow.
    private static func integer(_ text: some StringProtocol) -> Int? {
        let text = Substring(text).trimmingBlanks
        let digits = text.hasPrefix("-") ? text.dropFirst() : text
        guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        let bound = 1 << 60
        let magnitude = min(Int(digits) ?? bound, bound)
        return text.hasPrefix("-") ? -magnitude : magnitude
    }
}
