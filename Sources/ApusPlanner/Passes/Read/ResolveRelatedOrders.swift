import ApusCatalog

/// Finds the levels that are ordered by (`order=client(name)`), which must be to-one.
struct ResolveRelatedOrders: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        for index in plan.order.indices {
            guard case .related(let name, let field, let direction, let nulls) = plan.order[index] else {
                continue
            }
            guard let child = plan.children.first(where: { $0.shownName == name }) else {
                throw .notEmbedded(name, written: nil)
            }
            guard child.relationship?.isToOne == true else {
                throw .relatedOrderNotToOne(origin: plan.source.name, target: name)
            }
            plan.order[index] = .related(
                subqueryAlias: child.subqueryAlias, field, direction, nulls)
        }
        for index in plan.children.indices { try run(on: &plan.children[index], in: context) }
    }
}
