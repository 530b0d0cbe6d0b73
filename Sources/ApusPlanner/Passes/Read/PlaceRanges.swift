/// Attaches limits and offsets to their levels. What was written is returned whole, so a write has none.
struct PlaceRanges: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        guard !context.isWrite else { return }
        let placement = Placement(context.settings)
        plan.range = context.intent.range
        for range in context.intent.embeddedRanges {
            try placement.update(&plan, at: range.path) { level in level.range = range.value }
        }
    }
}
