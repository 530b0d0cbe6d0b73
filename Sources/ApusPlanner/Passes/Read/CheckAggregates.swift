/// Refuses aggregates where they are not enabled: they can cost far more than a page of rows.
struct CheckAggregates: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        guard !context.settings.aggregatesEnabled else { return }
        guard plan.select.allSatisfy({ $0.aggregate == nil }) else { throw .aggregatesNotAllowed }
        for index in plan.children.indices { try run(on: &plan.children[index], in: context) }
    }
}
