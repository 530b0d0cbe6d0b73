/// Gives a name to what has no alias and would not be named after its column: an element of a JSON column is
/// named after its last key, a converted column keeps its name, and an aggregate inside a spread is named
/// after its function, as PostgreSQL does, because the level above must know that name.
struct NameOutputs: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        let isSpread = plan.spread != nil
        for index in plan.select.indices where plan.select[index].alias == nil {
            plan.select[index].alias = alias(of: plan.select[index], isSpread: isSpread)
        }
        for index in plan.children.indices { run(on: &plan.children[index], in: context) }
    }

    private func alias(of select: PlannedSelect, isSpread: Bool) -> String? {
        if let aggregate = select.aggregate { return isSpread ? aggregate.rawValue : nil }
        if !select.field.path.isEmpty { return lastKey(of: select.field) }
        return select.field.transform == nil ? nil : select.field.name
    }

    /// `data->a->1` is shown as `a`, `data->1` as `data`.
    private func lastKey(of field: PlannedField) -> String {
        for step in field.path.reversed() {
            if case .key(let key) = step.operand { return key }
        }
        return field.name
    }
}
