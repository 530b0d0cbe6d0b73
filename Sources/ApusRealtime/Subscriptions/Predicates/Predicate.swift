/// A condition on one row, with the same outcome as PostgreSQL's for the types of ``ScalarKind``.
///
/// Holds no value of a caller: what depends on claims stands as a numbered parameter, so one predicate serves every
/// caller of a role.
package indirect enum Predicate: Sendable, Hashable {
    package enum Comparison: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="

        /// The same with its sides exchanged.
        var mirrored: Comparison {
            switch self {
            case .equal, .notEqual: self
            case .less: .greater
            case .lessOrEqual: .greaterOrEqual
            case .greater: .less
            case .greaterOrEqual: .lessOrEqual
            }
        }
    }

    package enum Operand: Sendable, Hashable {
        case column(ColumnOperand)
        /// A value that PostgreSQL computes once for a caller.
        case parameter(Int)
        case value(Scalar)
    }

    /// A column of the table, read as a kind of value.
    package struct ColumnOperand: Sendable, Hashable {
        /// Index into ``TableAccess/columns``.
        package var index: Int
        package var kind: ScalarKind
        /// Of the column itself; differs from `kind` under a cast to text.
        package var storedKind: ScalarKind

        package init(index: Int, kind: ScalarKind, storedKind: ScalarKind) {
            self.index = index
            self.kind = kind
            self.storedKind = storedKind
        }
    }

    package enum TruthTest: Sendable, Hashable {
        case isTrue, isFalse, isUnknown
    }

    case constant(Truth)
    /// A parameter that is a condition by itself.
    case parameter(Int)
    /// A boolean column.
    case column(ColumnOperand)
    case compare(Operand, Comparison, Operand)
    /// `is distinct from`: never null.
    case distinct(Operand, Operand)
    /// `operand = any (array)`; `in (…)`.
    case isAny(Operand, ArrayOperand)
    /// `exists (…)` by key: as ``isAny(_:_:)``, but false where that is null.
    case isMember(Operand, parameter: Int)
    /// `operand <> all (array)`
    case isNone(Operand, ArrayOperand)
    case isNull(column: Int)
    case test(Predicate, TruthTest)
    case not(Predicate)
    case and([Predicate])
    case or([Predicate])

    package enum ArrayOperand: Sendable, Hashable {
        case parameter(Int)
        /// An array column whose elements are of this kind.
        case column(index: Int, element: ScalarKind)
        /// Values that are not null.
        case values([Scalar])
    }
}

/// What PostgreSQL computed for a parameter.
package enum ParameterValue: Sendable, Hashable {
    case null
    case scalar(Scalar)
    /// An array with these elements; `hasNull` whether a null is among them.
    case array(Set<Scalar>, hasNull: Bool)
}
