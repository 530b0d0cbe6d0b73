import ApusRealtime

extension RowFilter {
    /// The filter in the words of row subscriptions.
    init(_ filter: ChangeFilter) {
        self.init(
            filter.conditions.flatMap { condition -> [Condition] in
                let value = condition.values.first ?? ""
                let operation: Operation
                switch condition.operator {
                case .eq: operation = .compare(.equal, value)
                case .neq: operation = .compare(.notEqual, value)
                case .lt: operation = .compare(.less, value)
                case .lte: operation = .compare(.lessOrEqual, value)
                case .gt: operation = .compare(.greater, value)
                case .gte: operation = .compare(.greaterOrEqual, value)
                case .in: operation = .isIn(condition.values)
                case .isdistinct: operation = .isDistinct(value)
                case .like: operation = .pattern(.like, value)
                case .ilike: operation = .pattern(.ilike, value)
                case .match: operation = .pattern(.match, value)
                case .imatch: operation = .pattern(.imatch, value)
                case .is:
                    let words: [String: Operation] = [
                        "true": .isTrue, "false": .isFalse, "unknown": .isUnknown,
                    ]
                    operation = words[value] ?? .isNull
                }
                let isNegated = condition.isNegated != (condition.operator == .is && value == "not null")
                return [Condition(column: condition.column, isNegated: isNegated, operation)]
            })
    }
}
