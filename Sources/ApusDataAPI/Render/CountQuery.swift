import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Count

extension StatementBuilder {
    /// One row for each row of the level, without its page: what `count=…` counts.
    ///
    /// Nothing is selected, so that functions in the select list are not run. Levels below matter only as far
    /// as they decide: an inner one must have rows, and one with a null filter must have them or not.
    mutating func countQuery(
        _ plan: ReadPlan, in parent: ReadPlan? = nil, from source: ReadSource = .relation
    ) -> SQL {
        var conditions: [SQL] = []
        for item in plan.filters {
            conditions.append(
                condition(item, on: plan.reference) { builder, subquery, isNegated in
                    guard let child = plan.children.first(where: { $0.subqueryAlias == subquery })
                    else { return "TRUE" }
                    return builder.exists(child, in: plan, isNegated: !isNegated)
                })
        }
        conditions += plan.joinConditions.map(joined)
        for child in plan.children where child.join == .inner {
            conditions.append(exists(child, in: plan, isNegated: false))
        }
        return "SELECT 1 FROM \(from(plan, in: parent, source))" + restricted(to: conditions)
    }

    /// Whether the level below has rows for the row above.
    mutating func exists(_ child: ReadPlan, in parent: ReadPlan, isNegated: Bool) -> SQL {
        let rows = countQuery(child, in: parent)
        return isNegated ? "NOT EXISTS (\(rows))" : "EXISTS (\(rows))"
    }

    /// The number of rows without limit and offset, as a value; at most `limit`.
    mutating func total(_ plan: ReadPlan, limit: Int?, from source: ReadSource = .relation) -> SQL {
        var rows = countQuery(plan, from: source)
        if let limit { rows += " LIMIT \(SQL(trusted: String(limit)))" }
        return "(SELECT count(*) FROM (\(rows)) AS pgrst_source_count)"
    }
}
