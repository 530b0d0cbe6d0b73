extension Predicate {
    /// The outcome for a row.
    ///
    /// - Parameter parameters: values of the caller, by number.
    func evaluate(_ row: borrowing RowView, _ parameters: [ParameterValue]) -> Truth {
        switch self {
        case .constant(let truth): return truth
        case .parameter(let number):
            guard parameters.indices.contains(number) else { return .unknown }
            switch parameters[number] {
            case .null: return .null
            case .scalar(.boolean(let value)): return Truth(value)
            default: return .unknown
            }
        case .column(let column):
            switch row.value(column) {
            case .scalar(.boolean(let value)): return Truth(value)
            case .null: return .null
            default: return .unknown
            }
        case .compare(let left, let comparison, let right):
            return Self.compare(left.read(row, parameters), comparison, right.read(row, parameters))
        case .distinct(let left, let right):
            return Self.distinct(left.read(row, parameters), right.read(row, parameters))
        case .isAny(let operand, let array):
            return Self.contains(array, operand.read(row, parameters), row, parameters)
        case .isMember(let operand, let number):
            let truth = Self.contains(.parameter(number), operand.read(row, parameters), row, parameters)
            return truth == .null ? .false : truth
        case .isNone(let operand, let array):
            return !Self.contains(array, operand.read(row, parameters), row, parameters)
        case .isNull(let column): return row.isNull(column)
        case .test(let condition, let test): return Self.test(condition.evaluate(row, parameters), test)
        case .not(let condition): return !condition.evaluate(row, parameters)
        case .and(let conditions):
            var truth = Truth.true
            for condition in conditions {
                truth = truth & condition.evaluate(row, parameters)
                if truth == .false { return .false }
            }
            return truth
        case .or(let conditions):
            var truth = Truth.false
            for condition in conditions {
                truth = truth | condition.evaluate(row, parameters)
                if truth == .true { return .true }
            }
            return truth
        }
    }

    // MARK: - Non public

    private static func compare(
        _ left: RowView.Value, _ comparison: Comparison, _ right: RowView.Value
    ) -> Truth {
        switch (left, right) {
        case (.null, _), (_, .null): return .null
        case (.scalar(let left), .scalar(let right)):
            guard let order = left.compare(right) else { return .unknown }
            switch (comparison, order) {
            case (.equal, _): return Truth(order == .same)
            case (.notEqual, _): return Truth(order != .same)
            case (_, .unordered): return .unknown
            case (.less, _): return Truth(order == .before)
            case (.lessOrEqual, _): return Truth(order != .after)
            case (.greater, _): return Truth(order == .after)
            case (.greaterOrEqual, _): return Truth(order != .before)
            }
        default: return .unknown
        }
    }

    private static func distinct(_ left: RowView.Value, _ right: RowView.Value) -> Truth {
        switch (left, right) {
        case (.null, .null): .false
        case (.null, .scalar), (.scalar, .null): .true
        case (.scalar(let left), .scalar(let right)):
            left.compare(right).map { Truth($0 != .same) } ?? .unknown
        default: .unknown
        }
    }

    private static func contains(
        _ array: ArrayOperand, _ value: RowView.Value, _ row: borrowing RowView,
        _ parameters: [ParameterValue]
    ) -> Truth {
        let elements: Set<Scalar>
        var hasNull = false
        switch array {
        case .values(let values): elements = Set(values)
        case .parameter(let number):
            guard parameters.indices.contains(number) else { return .unknown }
            switch parameters[number] {
            case .null: return .null
            case .scalar: return .unknown
            case .array(let set, let null): (elements, hasNull) = (set, null)
            }
        case .column(let index, let element):
            switch row.array(index, element) {
            case .null: return .null
            case .missing: return .unknown
            case .elements(let set, let null): (elements, hasNull) = (set, null)
            }
        }
        switch value {
        case .missing: return .unknown
        case .null: return elements.isEmpty && !hasNull ? .false : .null
        case .scalar(let scalar):
            if elements.contains(scalar) { return .true }
            return hasNull ? .null : .false
        }
    }

    private static func test(_ truth: Truth, _ test: TruthTest) -> Truth {
        if truth == .unknown { return .unknown }
        switch test {
        case .isTrue: return Truth(truth == .true)
        case .isFalse: return Truth(truth == .false)
        case .isUnknown: return Truth(truth == .null)
        }
    }
}

extension Predicate.Operand {
    fileprivate func read(_ row: borrowing RowView, _ parameters: [ParameterValue]) -> RowView.Value {
        switch self {
        case .column(let column): row.value(column)
        case .value(let scalar): .scalar(scalar)
        case .parameter(let number):
            switch parameters.indices.contains(number) ? parameters[number] : .null {
            case .null: .null
            case .scalar(let scalar): .scalar(scalar)
            case .array: .missing
            }
        }
    }
}
