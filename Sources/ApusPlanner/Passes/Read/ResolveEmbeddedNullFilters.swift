/// Makes `client=is.null` and `client=not.is.null` ask whether an embedded level has rows. Every other filter
/// by the name of a level is one by a column of that name.
struct ResolveEmbeddedNullFilters: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        if !plan.children.isEmpty {
            let children = plan.children
            plan.filters = plan.filters.map { resolved($0, among: children) }
        }
        for index in plan.children.indices { run(on: &plan.children[index], in: context) }
    }

    private func resolved(_ condition: PlannedCondition, among children: [ReadPlan]) -> PlannedCondition {
        switch condition {
        case .group(let isNegated, let `operator`, let members):
            return .group(
                isNegated: isNegated, `operator`, members.map { resolved($0, among: children) })
        case .filter(let filter):
            guard filter.operation == .is(.null), filter.field.path.isEmpty,
                let child = children.first(where: { $0.shownName == filter.field.name })
            else { return condition }
            return .embeddedIsNull(isNegated: filter.isNegated, subqueryAlias: child.subqueryAlias)
        case .embeddedIsNull:
            return condition
        }
    }
}
