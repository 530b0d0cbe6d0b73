/// Applies `db-max-rows` to every level. A write returns all that it wrote.
struct CapRanges: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        guard let maxRows = context.settings.maxRows, !context.isWrite else { return }
        cap(&plan, maxRows)
    }

    private func cap(_ level: inout ReadPlan, _ maxRows: Int) {
        level.range.limit = min(level.range.limit ?? maxRows, maxRows)
        for index in level.children.indices { cap(&level.children[index], maxRows) }
    }
}
