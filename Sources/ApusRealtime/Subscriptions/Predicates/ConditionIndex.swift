/// Finds the subscriptions that a row may concern by the values of its columns, whatever the number of subscriptions.
///
/// A subscription stands under one column and a value for each way in which it can match (`owner = 7`,
/// `room in (1, 2)`); one whose conditions name no such value is asked about every row.
struct ConditionIndex {
    /// Where a subscription stands.
    typealias Place = (column: Predicate.ColumnOperand, value: Scalar)

    private var columns: [Predicate.ColumnOperand: [Scalar: [UInt64]]] = [:]
    private var others: Set<UInt64> = []

    /// - Parameter places: nil: asked about every row. Empty: no row can match.
    mutating func insert(_ id: UInt64, at places: [Place]?) {
        guard let places else {
            others.insert(id)
            return
        }
        for place in places { columns[place.column, default: [:]][place.value, default: []].append(id) }
    }

    mutating func remove(_ id: UInt64, from places: [Place]?) {
        guard let places else {
            others.remove(id)
            return
        }
        for place in places {
            columns[place.column]?[place.value]?.removeAll { $0 == id }
            if columns[place.column]?[place.value]?.isEmpty == true {
                columns[place.column]?[place.value] = nil
            }
            if columns[place.column]?.isEmpty == true { columns[place.column] = nil }
        }
    }

    /// Those that one of the rows may concern, each once.
    ///
    /// - Parameter whole: rows of these of which everything should have come: where a value that decides did not, they
    ///   may concern anybody.
    func candidates(_ rows: [RowView], whole: [RowView] = []) -> Set<UInt64> {
        var found = others
        for (column, values) in columns {
            for row in rows {
                if case .scalar(let value) = row.value(column), let ids = values[value] {
                    found.formUnion(ids)
                }
            }
            for row in whole {
                if case .missing = row.value(column) { for ids in values.values { found.formUnion(ids) } }
            }
        }
        return found
    }
}

extension Predicate {
    /// Values one of which a column must have for the predicate to be true; nil when that cannot be said.
    func places(_ parameters: [ParameterValue]) -> [ConditionIndex.Place]? {
        switch self {
        case .constant(let truth): return truth == .true || truth == .unknown ? nil : []
        case .compare(.column(let column), .equal, let value),
            .compare(let value, .equal, .column(let column)):
            return Self.scalar(value, parameters).map { $0.map { [(column, $0)] } ?? [] }
        case .isAny(.column(let column), let array):
            return Self.scalars(array, parameters).map { $0.map { (column, $0) } }
        case .isMember(.column(let column), let number):
            return Self.scalars(.parameter(number), parameters).map { $0.map { (column, $0) } }
        case .and(let conditions):
            return conditions.compactMap { $0.places(parameters) }.min { $0.count < $1.count }
        case .or(let conditions):
            var all: [ConditionIndex.Place] = []
            for condition in conditions {
                guard let places = condition.places(parameters) else { return nil }
                all += places
            }
            // One that stands in very many places is cheaper to ask about every row.
            return all.count <= 10_000 ? all : nil
        default: return nil
        }
    }

    /// nil: not a constant; `.some(nil)`: null, which equals nothing.
    private static func scalar(_ operand: Operand, _ parameters: [ParameterValue]) -> Scalar?? {
        switch operand {
        case .column: return nil
        case .value(let scalar): return .some(scalar)
        case .parameter(let number):
            guard parameters.indices.contains(number) else { return nil }
            switch parameters[number] {
            case .scalar(let scalar): return .some(scalar)
            case .null: return .some(nil)
            case .array: return nil
            }
        }
    }

    private static func scalars(_ array: ArrayOperand, _ parameters: [ParameterValue]) -> [Scalar]? {
        switch array {
        case .values(let values): return values
        case .column: return nil
        case .parameter(let number):
            guard parameters.indices.contains(number) else { return nil }
            switch parameters[number] {
            case .array(let set, _): return Array(set)
            case .null: return []
            case .scalar: return nil
            }
        }
    }
}
