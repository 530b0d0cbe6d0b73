/// Attaches each filter to the level that its path leads to.
///
/// On a write only those of embedded levels: the others say which rows are written.
struct PlaceFilters: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        let placement = Placement(context.settings)
        for filter in context.intent.filters.reversed() {
            if context.isWrite && filter.path.isEmpty { continue }
            try placement.update(&plan, at: filter.path) { level in
                level.filters.insert(PlannedCondition(filter.value), at: 0)
            }
        }
    }
}

/// Attaches each `and` and `or` to the level that its path leads to, before the filters of that level.
struct PlaceLogic: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        let placement = Placement(context.settings)
        for tree in context.intent.logic.reversed() {
            if context.isWrite && tree.path.isEmpty { continue }
            try placement.update(&plan, at: tree.path) { level in
                level.filters.insert(PlannedCondition(tree.value), at: 0)
            }
        }
    }
}

extension PlannedCondition {
    /// The filter as written, its field not yet looked up.
    init(_ filter: Filter) {
        self = .filter(
            PlannedFilter(
                field: PlannedField(filter.field), isNegated: filter.isNegated,
                operation: filter.operation))
    }

    /// The tree as written, its fields not yet looked up.
    init(_ tree: LogicTree) {
        switch tree {
        case .filter(let filter):
            self.init(filter)
        case .group(let isNegated, let `operator`, let members):
            self = .group(isNegated: isNegated, `operator`, members.map { PlannedCondition($0) })
        }
    }
}
