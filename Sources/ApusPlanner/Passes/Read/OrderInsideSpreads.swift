/// Moves the order of a to-many spread into its arrays.
///
/// Once the rows are gathered in arrays, their order is that of the aggregate. It can only use columns that the
/// rows have, so the columns to order by are selected besides, under aliases that nothing else has.
struct OrderInsideSpreads: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        if case .toMany = plan.spread {
            guard !plan.hasAggregates else { throw .toManySpreadAggregate }
            var extra: [ReadPlan.ExtraColumn] = []
            var order: [PlannedOrder] = []
            for (index, term) in plan.order.enumerated() {
                let (column, inside) = moved(term, position: index + 1, prefix: plan.subqueryAlias)
                extra.append(column)
                order.append(inside)
            }
            plan.order = []
            plan.spread = .toMany(extra: extra, order: order)
        }
        for index in plan.children.indices { try run(on: &plan.children[index], in: context) }
    }

    private func moved(
        _ term: PlannedOrder, position: Int, prefix: String
    ) -> (ReadPlan.ExtraColumn, PlannedOrder) {
        switch term {
        case .field(let field, let direction, let nulls):
            let alias = "\(prefix)_\(field.name)_\(position)"
            return (
                ReadPlan.ExtraColumn(relation: nil, column: PlannedSelect(field: field, alias: alias)),
                .field(PlannedField(name: alias), direction, nulls)
            )
        case .related(let subqueryAlias, let field, let direction, let nulls):
            let alias = "\(prefix)_\(field.name)_\(position)"
            let column = PlannedSelect(field: PlannedField(field), alias: alias)
            return (
                ReadPlan.ExtraColumn(relation: subqueryAlias, column: column),
                .field(PlannedField(name: alias), direction, nulls)
            )
        }
    }
}

extension ReadPlan {
    /// Own aggregates, or such as were hoisted from a spread below.
    fileprivate var hasAggregates: Bool {
        select.contains { $0.aggregate != nil }
            || embeddedSelect.contains { embedded in
                guard case .spread(let columns, _) = embedded else { return false }
                return columns.contains { $0.aggregate != nil }
            }
    }
}
