package struct Filter: Sendable, Hashable {
    package var field: Field
    package var isNegated: Bool
    package var operation: Operation

    package init(field: Field, isNegated: Bool = false, operation: Operation) {
        self.field = field
        self.isNegated = isNegated
        self.operation = operation
    }
}

package indirect enum LogicTree: Sendable, Hashable {
    package enum Operator: Sendable, Hashable {
        case and, or
    }

    case group(isNegated: Bool, Operator, [LogicTree])
    case filter(Filter)
}

package enum Operation: Sendable, Hashable {
    /// An operator that takes one value.
    case compare(Comparison, Operand)
    /// An operator that may be applied to any or all of an array (`eq(any).{1,2}`).
    case quantified(QuantifiableComparison, Quantifier?, Operand)
    /// `in.(a,b)`: the operand is the list as the client wrote it, with its parentheses.
    case isIn(Operand)
    case `is`(IsValue)
    case isDistinctFrom(Operand)
    case fullText(FullTextSearch, language: String?, Operand)

    package enum Comparison: String, Sendable, Hashable, CaseIterable {
        case notEqual = "neq"
        case contains = "cs"
        case contained = "cd"
        case overlaps = "ov"
        case strictlyLeft = "sl"
        case strictlyRight = "sr"
        case notExtendsRight = "nxr"
        case notExtendsLeft = "nxl"
        case adjacent = "adj"
    }

    package enum QuantifiableComparison: String, Sendable, Hashable, CaseIterable {
        case equal = "eq"
        case greaterThanOrEqual = "gte"
        case greaterThan = "gt"
        case lessThanOrEqual = "lte"
        case lessThan = "lt"
        /// `*` stands for `%`.
        case like, ilike
        case match, imatch
    }

    package enum Quantifier: Sendable, Hashable {
        case any, all
    }

    package enum IsValue: String, Sendable, Hashable, CaseIterable {
        case null
        case notNull = "not_null"
        case `true`
        case `false`
        case unknown
    }

    package enum FullTextSearch: String, Sendable, Hashable, CaseIterable {
        case plainTSQuery = "fts"
        case plain = "plfts"
        case phrase = "phfts"
        case websearch = "wfts"
    }
}
