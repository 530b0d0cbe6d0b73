import ApusFaults

/// A read's condition on the rows of one table, as far as the process can decide it.
package indirect enum RowCondition: Sendable, Hashable {
    case and([RowCondition])
    case or([RowCondition])
    case not(RowCondition)
    case test(RowFilter.Condition)
    /// Only PostgreSQL knows. The column that it looks at, where it is one.
    case undecided(column: String?)

    /// For the process; unknown where PostgreSQL has to decide. nil when deciding could raise an error that a read of the
    /// table would raise as well: operators of types that are not PostgreSQL's own are anybody's code.
    func predicate(_ table: TableAccess) -> Predicate? {
        switch self {
        case .and(let items): Self.all(items, table).map { .and($0) }
        case .or(let items): Self.all(items, table).map { .or($0) }
        case .not(let inner): inner.predicate(table).map { .not($0) }
        case .undecided(let column):
            column.map { Self.isBuiltIn($0, table) } == false ? nil : .constant(.unknown)
        case .test(let condition):
            Self.isBuiltIn(condition.column, table)
                ? Self.predicate(condition, table) ?? .constant(.unknown) : nil
        }
    }

    // MARK: - Non public

    private static func all(_ items: [RowCondition], _ table: TableAccess) -> [Predicate]? {
        var predicates: [Predicate] = []
        for item in items {
            guard let predicate = item.predicate(table) else { return nil }
            predicates.append(predicate)
        }
        return predicates
    }

    private static let firstOwnTypeOID: UInt32 = 16384

    private static func isBuiltIn(_ column: String, _ table: TableAccess) -> Bool {
        guard let index = table.columnIndex(column) else { return false }
        let column = table.columns[index]
        return column.isEnum || column.baseTypeOID < firstOwnTypeOID
    }

    private static func predicate(_ condition: RowFilter.Condition, _ table: TableAccess) -> Predicate? {
        guard let index = table.columnIndex(condition.column) else { return nil }
        let made =
            wider(condition.operation, table.columns[index], index)
            ?? (try? RowFilter([.init(column: condition.column, condition.operation)]).predicate(table))
            ?? nil
        return condition.isNegated ? made.map { .not($0) } : made
    }

    /// Constants that ``RowFilter`` leaves to PostgreSQL, because there it has not read them yet. A read's constants have
    /// been read by it in the read itself: what it refuses ends the read.
    private static func wider(
        _ operation: RowFilter.Operation, _ column: TableAccess.Column, _ index: Int
    ) -> Predicate? {
        guard let kind = column.kind else { return nil }
        let operand = Predicate.Operand.column(.init(index: index, kind: kind, storedKind: kind))
        func value(_ text: String) -> Scalar? { constant(text, column, kind) }
        switch operation {
        case .compare(let comparison, let text):
            guard kind.isOrdered || comparison == .equal || comparison == .notEqual else { return nil }
            return value(text).map { .compare(operand, comparison, .value($0)) }
        case .isDistinct(let text): return value(text).map { .distinct(operand, .value($0)) }
        case .isIn(let texts):
            let values = texts.compactMap(value)
            return values.count == texts.count ? .isAny(operand, .values(values)) : nil
        default: return nil
        }
    }

    private static func constant(_ text: String, _ column: TableAccess.Column, _ kind: ScalarKind) -> Scalar?
    {
        if column.isEnum { return .text(Array(text.utf8)) }
        switch kind {
        case .number:
            return isPlainNumber(text, column.baseTypeOID) ? Scalar(Array(text.utf8)[...], kind: kind) : nil
        case .timestamp, .timestamptz: return instant(text, kind)
        default: return nil
        }
    }

    /// Digits, and for `numeric` a point among them: no exponent, no blank, no other base.
    private static func isPlainNumber(_ text: String, _ type: UInt32) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 1 || type == 1700, digits.utf8.count <= 40 else { return false }
        return parts.allSatisfy { part in
            (1...18).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
    }

    /// `2024-02-29T12:00:00.5Z`, with a zone if the column has one and without if not.
    private static func instant(_ text: String, _ kind: ScalarKind) -> Scalar? {
        var bytes = Array(text.utf8)
        guard (19...32).contains(bytes.count), bytes[10] == UInt8(ascii: "T") || bytes[10] == 0x20 else {
            return nil
        }
        let digits: [(place: Int, most: UInt8)] = [(11, 0x32), (14, 0x35), (17, 0x35)]
        guard digits.allSatisfy({ bytes[$0.place] <= $0.most }), bytes[11] < 0x32 || bytes[12] <= 0x33 else {
            return nil
        }
        bytes[10] = 0x20
        if kind == .timestamptz, bytes.last == UInt8(ascii: "Z") {
            bytes.replaceSubrange((bytes.count - 1)..., with: Array("+00".utf8))
        }
        guard !bytes.contains(UInt8(ascii: "B")) else { return nil }
        return Scalar(bytes[...], kind: kind)
    }
}
