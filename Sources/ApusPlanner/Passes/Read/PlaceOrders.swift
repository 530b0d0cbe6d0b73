/// Attaches each `order` to the level that its path leads to.
struct PlaceOrders: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        let placement = Placement(context.settings)
        for order in context.intent.order.reversed() {
            try placement.update(&plan, at: order.path) { level in
                level.order = order.value.map { PlannedOrder($0) }
            }
        }
    }
}

extension PlannedOrder {
    /// The term as written. A related order holds the client's name for the level until it is resolved.
    fileprivate init(_ term: OrderTerm) {
        switch term {
        case .field(let field, let direction, let nulls):
            self = .field(PlannedField(field), direction, nulls)
        case .related(let relation, let field, let direction, let nulls):
            self = .related(subqueryAlias: relation, field, direction, nulls)
        }
    }
}
