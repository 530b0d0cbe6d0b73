import ApusFaults
import ApusPostgres

extension RowFilter {
    /// The filter for the process; nil when PostgreSQL has to decide.
    ///
    /// Constants are read as PostgreSQL reads them: what is not plainly a value of the column's type is left to it, and
    /// so are its complaints.
    ///
    /// - Throws: ``SubscriptionFault/unknownColumn(_:table:)``
    func predicate(_ table: TableAccess) throws(Fault) -> Predicate? {
        var predicates: [Predicate] = []
        for condition in conditions {
            guard let predicate = Self.predicate(condition, table.columns, try table.column(condition.column))
            else { return nil }
            predicates.append(condition.isNegated ? .not(predicate) : predicate)
        }
        return predicates.count == 1 ? predicates[0] : .and(predicates)
    }

    private static func predicate(
        _ condition: Condition, _ columns: [TableAccess.Column], _ index: Int
    ) -> Predicate? {
        if case .isNull = condition.operation { return .isNull(column: index) }
        let column = columns[index]
        guard let kind = column.kind, !column.isEnum else { return nil }
        let operand = Predicate.ColumnOperand(index: index, kind: kind, storedKind: kind)
        switch condition.operation {
        case .isNull: return .isNull(column: index)
        case .compare(let comparison, let text):
            let isEquality = comparison == .equal || comparison == .notEqual
            guard isEquality || kind.isOrdered, let value = plain(text, column, kind) else { return nil }
            return .compare(.column(operand), comparison, .value(value))
        case .isDistinct(let text):
            return plain(text, column, kind).map { .distinct(.column(operand), .value($0)) }
        case .isIn(let texts):
            let values = texts.compactMap { plain($0, column, kind) }
            return values.count == texts.count ? .isAny(.column(operand), .values(values)) : nil
        case .isTrue, .isFalse, .isUnknown:
            guard kind == .boolean else { return nil }
            let test: Predicate.TruthTest =
                condition.operation == .isTrue
                ? .isTrue : condition.operation == .isFalse ? .isFalse : .isUnknown
            return .test(.column(operand), test)
        case .pattern: return nil
        }
    }

    /// A constant whose text PostgreSQL reads as this very value, by any type of the column's kind.
    private static func plain(_ text: String, _ column: TableAccess.Column, _ kind: ScalarKind) -> Scalar? {
        let bytes = Array(text.utf8)[...]
        switch kind {
        case .text: return .text(Array(bytes))
        case .uuid, .date: return Scalar(bytes, kind: kind)
        case .number:
            let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes
            let most = column.baseTypeOID == 21 ? 4 : 9
            guard !digits.isEmpty, digits.count <= most,
                digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
            else { return nil }
            return Scalar(bytes, kind: .number)
        case .boolean:
            switch text {
            case "true", "t": return .boolean(true)
            case "false", "f": return .boolean(false)
            default: return nil
            }
        case .timestamp, .timestamptz: return nil
        }
    }
}
