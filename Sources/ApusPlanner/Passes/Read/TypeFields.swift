import ApusCatalog

/// Looks up the columns of every field: for output, for filtering, for ordering.
struct TypeFields: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        let typing = FieldTyping(
            relation: context.catalog.relations[plan.source],
            representations: context.catalog.representations)
        for index in plan.select.indices {
            plan.select[index].field = typing.forOutput(plan.select[index].field)
        }
        plan.filters = plan.filters.map { typing.typed($0) }
        plan.order = plan.order.map { order in
            guard case .field(let field, let direction, let nulls) = order else { return order }
            return .field(typing.typed(field), direction, nulls)
        }
        for index in plan.children.indices { run(on: &plan.children[index], in: context) }
    }
}
