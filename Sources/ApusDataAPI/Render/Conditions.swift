import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Conditions

extension StatementBuilder {
    /// How a condition on an embedded relation (`children=is.null`) is written: given the subquery's alias
    /// and whether it is negated.
    typealias EmbeddedTest = (inout StatementBuilder, _ subquery: String, _ isNegated: Bool) -> SQL

    /// ` WHERE a AND b`, or nothing.
    func restricted(to conditions: [SQL]) -> SQL {
        conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
    }

    /// Conditions on the rows of `table`, for changes, which have no embedded relations to test.
    mutating func conditions(_ conditions: [PlannedCondition], on table: QualifiedName) -> [SQL] {
        var result: [SQL] = []
        for item in conditions { result.append(condition(item, on: table, embedded: Self.aliasTest)) }
        return result
    }

    mutating func condition(
        _ condition: PlannedCondition, on table: QualifiedName, embedded: EmbeddedTest
    ) -> SQL {
        switch condition {
        case .group(let isNegated, let logic, let members):
            var parts: [SQL] = []
            for member in members { parts.append(self.condition(member, on: table, embedded: embedded)) }
            let joined = parts.joined(separator: logic == .and ? " AND " : " OR ")
            return isNegated ? "NOT (\(joined))" : "(\(joined))"
        case .filter(let filter): return self.filter(filter, on: table)
        case .embeddedIsNull(let isNegated, let subquery): return embedded(&self, subquery, isNegated)
        }
    }

    /// Tests a joined subquery: without a match, its alias stands for null.
    static func aliasTest(_: inout StatementBuilder, subquery: String, isNegated: Bool) -> SQL {
        isNegated
            ? "\(ident: subquery) IS DISTINCT FROM NULL" : "\(ident: subquery) IS NOT DISTINCT FROM NULL"
    }

    // MARK: - Filters

    mutating func filter(_ filter: PlannedFilter, on table: QualifiedName) -> SQL {
        gathered?.expect(filter)
        defer { gathered?.expectNothing() }
        let test = field(filter.field, of: table) + operation(filter.operation, on: filter.field)
        return filter.isNegated ? "NOT \(test)" : test
    }

    private mutating func operation(_ operation: Operation, on field: PlannedField) -> SQL {
        switch operation {
        case .compare(let comparison, let operand):
            return " \(comparison.sql) \(parsed(operand, as: field))"
        case .quantified(let comparison, let quantifier, let operand):
            // A pattern is text, whatever the column's representation is.
            let value =
                comparison.isPattern ? self.value(operand, .pattern) : parsed(operand, as: field)
            return " \(comparison.sql) \(quantified(value, by: quantifier))"
        case .isIn(let operand): return " = ANY (\(list(operand, as: field)))"
        case .is(let value): return " IS \(value.sql)"
        case .isDistinctFrom(let operand): return " IS DISTINCT FROM \(value(operand))"
        case .fullText(let search, let language, let operand):
            return " @@ \(search.function)(\(self.language(language))\(value(operand)))"
        }
    }

    private func quantified(_ value: SQL, by quantifier: Operation.Quantifier?) -> SQL {
        switch quantifier {
        case nil: value
        case .any: "ANY(\(value))"
        case .all: "ALL(\(value))"
        }
    }

    /// A value as the field's domain representation reads it.
    private mutating func parsed(_ operand: Operand, as field: PlannedField) -> SQL {
        let value = value(operand)
        guard let transform = field.transform else { return value }
        return "\(SQL(trusted: transform))(\(value))"
    }

    private mutating func list(_ operand: Operand, as field: PlannedField) -> SQL {
        let value = value(operand, .list)
        guard let transform = field.transform else { return value }
        return "(SELECT \(SQL(trusted: transform))(unnest(\(value)::text[])))"
    }
}

extension Operation.Comparison {
    fileprivate var sql: SQL {
        switch self {
        case .notEqual: "<>"
        case .contains: "@>"
        case .contained: "<@"
        case .overlaps: "&&"
        case .strictlyLeft: "<<"
        case .strictlyRight: ">>"
        case .notExtendsRight: "&<"
        case .notExtendsLeft: "&>"
        case .adjacent: "-|-"
        }
    }
}

extension Operation.QuantifiableComparison {
    fileprivate var sql: SQL {
        switch self {
        case .equal: "="
        case .greaterThanOrEqual: ">="
        case .greaterThan: ">"
        case .lessThanOrEqual: "<="
        case .lessThan: "<"
        case .like: "like"
        case .ilike: "ilike"
        case .match: "~"
        case .imatch: "~*"
        }
    }

    fileprivate var isPattern: Bool { self == .like || self == .ilike }
    /// Whether both sides are text.
    var isOfText: Bool { isPattern || self == .match || self == .imatch }
}

extension Operation.IsValue {
    fileprivate var sql: SQL {
        switch self {
        case .null: "NULL"
        case .notNull: "NOT NULL"
        case .true: "TRUE"
        case .false: "FALSE"
        case .unknown: "UNKNOWN"
        }
    }
}

extension Operation.FullTextSearch {
    fileprivate var function: SQL {
        switch self {
        case .plainTSQuery: "to_tsquery"
        case .plain: "plainto_tsquery"
        case .phrase: "phraseto_tsquery"
        case .websearch: "websearch_to_tsquery"
        }
    }
}
