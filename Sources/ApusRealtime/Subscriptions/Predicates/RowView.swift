import ApusPostgres

/// One row of a change, seen by the columns of a ``TableAccess``.
package struct RowView {
    enum Value {
        case null
        case scalar(Scalar)
        /// It did not travel with the change, or is no value of the kind.
        case missing
    }

    enum ArrayValue {
        case null
        case elements(Set<Scalar>, hasNull: Bool)
        case missing
    }

    private let values: [FeedValue]
    private let map: ColumnMap
    /// Whether only the key's columns are there and the nulls of the others mean nothing.
    private let isKeyOnly: Bool
    /// What stands in for a large value that an update left alone, when the old row is whole.
    private let standIn: [FeedValue]?

    private init(_ values: [FeedValue], _ map: ColumnMap, isKeyOnly: Bool, standIn: [FeedValue]? = nil) {
        self.values = values
        self.map = map
        self.isKeyOnly = isKeyOnly
        self.standIn = standIn
    }

    /// The row after the change; nil when there is none.
    package static func after(_ change: RowChange, _ map: ColumnMap) -> RowView? {
        change.new.map { RowView($0, map, isKeyOnly: false, standIn: change.oldIsWhole ? change.old : nil) }
    }

    /// The row before the change; nil when there was none, or nothing of it travelled.
    package static func before(_ change: RowChange, _ map: ColumnMap) -> RowView? {
        change.old.map { RowView($0, map, isKeyOnly: !change.oldIsWhole) }
    }

    // MARK: - Columns

    /// The column's text form. Null outside of the row's columns.
    package func raw(_ column: Int) -> FeedValue? {
        guard let position = map.position(of: column), values.indices.contains(position) else { return nil }
        if isKeyOnly, !map.isKey(position) { return nil }
        switch values[position] {
        case .unchangedToast:
            guard let standIn, standIn.indices.contains(position) else { return nil }
            return standIn[position]
        case let value: return value
        }
    }

    func value(_ column: Predicate.ColumnOperand) -> Value {
        switch raw(column.index) {
        case .null?: return .null
        case .text(let text)?:
            if column.kind == .text, column.storedKind == .boolean {
                return .scalar(.text(Array((text.first == UInt8(ascii: "t") ? "true" : "false").utf8)))
            }
            return Scalar(text, kind: column.kind).map { .scalar($0) } ?? .missing
        case .unchangedToast?, nil: return .missing
        }
    }

    func isNull(_ column: Int) -> Truth {
        switch raw(column) {
        case .null?: .true
        case .text?: .false
        case .unchangedToast?, nil: .unknown
        }
    }

    func array(_ column: Int, _ kind: ScalarKind) -> ArrayValue {
        switch raw(column) {
        case .null?: return .null
        case .text(let text)?:
            guard let elements = ArrayText.elements(of: text) else { return .missing }
            var set: Set<Scalar> = []
            var hasNull = false
            for element in elements {
                guard let element else {
                    hasNull = true
                    continue
                }
                guard let scalar = Scalar(element[...], kind: kind) else { return .missing }
                set.insert(scalar)
            }
            return .elements(set, hasNull: hasNull)
        case .unchangedToast?, nil: return .missing
        }
    }
}

/// Where the columns of a ``TableAccess`` lie in the rows of a ``FeedRelation``; made once for each pair.
package final class ColumnMap: Sendable {
    private let positions: [Int?]
    private let keys: [Bool]

    init(_ table: TableAccess, _ relation: FeedRelation) {
        positions = table.columns.map { relation.columnIndex($0.name) }
        keys = relation.columns.map(\.isKey)
    }

    func position(of column: Int) -> Int? { positions.indices.contains(column) ? positions[column] : nil }

    func isKey(_ position: Int) -> Bool { keys[position] }
}
