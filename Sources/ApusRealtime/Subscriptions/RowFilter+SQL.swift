import ApusFaults
import ApusSQL

extension RowFilter {
    /// The condition for PostgreSQL, on a row of the table.
    ///
    /// - Throws: ``SubscriptionFault/unknownColumn(_:table:)``
    func sql(_ table: TableAccess) throws(Fault) -> SQL {
        var parts: [SQL] = []
        for condition in conditions { parts.append(try Self.sql(condition, table)) }
        return parts.isEmpty ? "true" : parts.joined(separator: " and ")
    }

    /// Indexes of the columns that it reads.
    func columns(_ table: TableAccess) throws(Fault) -> [Int] {
        var columns: [Int] = []
        for condition in conditions { columns.append(try table.column(condition.column)) }
        return columns
    }

    private static func sql(_ condition: Condition, _ table: TableAccess) throws(Fault) -> SQL {
        let column = table.columns[try table.column(condition.column)]
        let name: SQL = "\(ident: column.name)"
        let type = SQL(trusted: column.comparisonTypeName)
        let test: SQL =
            switch condition.operation {
            case .compare(let comparison, let value):
                "\(name) \(SQL(trusted: comparison.rawValue)) \(bind: value)::\(type)"
            case .isIn(let values):
                values.isEmpty
                    ? "false"
                    : "\(name) in (\(values.map { "\(bind: $0)::\(type)" }.joined(separator: ", ")))"
            case .isNull: "\(name) is null"
            case .isTrue: "\(name) is true"
            case .isFalse: "\(name) is false"
            case .isUnknown: "\(name) is unknown"
            case .isDistinct(let value): "\(name) is distinct from \(bind: value)::\(type)"
            case .pattern(let pattern, let value): "\(name) \(SQL(trusted: pattern.rawValue)) \(bind: value)"
            }
        return condition.isNegated ? "(not (\(test)))" : "(\(test))"
    }
}

extension TableAccess {
    /// - Throws: ``SubscriptionFault/unknownColumn(_:table:)``
    func column(_ name: String) throws(Fault) -> Int {
        guard let index = columnIndex(name) else {
            throw SubscriptionFault.unknownColumn(name, table: self.name)
        }
        return index
    }
}

extension TableAccess.Column {
    /// A type for a constant that the column is compared with. A `varchar(3)` would cut it.
    var comparisonTypeName: String { baseTypeOID == 1043 ? "text" : typeName }
}
