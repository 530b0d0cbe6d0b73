/// A condition that a subscriber puts on the rows it wants: comparisons of columns with constants, all of which must
/// hold.
package struct RowFilter: Sendable, Hashable {
    package enum Operation: Sendable, Hashable {
        case compare(Predicate.Comparison, String)
        case isIn([String])
        case isNull, isTrue, isFalse, isUnknown
        case isDistinct(String)
        /// An operator of PostgreSQL's (`like` is `~~`), decided by PostgreSQL.
        case pattern(Pattern, String)
    }

    package enum Pattern: String, Sendable, Hashable {
        case like = "~~"
        case ilike = "~~*"
        case match = "~"
        case imatch = "~*"
    }

    package struct Condition: Sendable, Hashable {
        package var column: String
        package var isNegated: Bool
        package var operation: Operation

        package init(column: String, isNegated: Bool = false, _ operation: Operation) {
            self.column = column
            self.isNegated = isNegated
            self.operation = operation
        }
    }

    package var conditions: [Condition]

    package init(_ conditions: [Condition] = []) { self.conditions = conditions }
}
