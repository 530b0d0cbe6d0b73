import ApusCatalog

/// A step on the way from the levels that were asked for to the levels that can be read.
protocol ReadPass: Sendable {
    /// Works on the tree whose top level is `plan`.
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault)
}

/// What the passes of one planning share.
struct PlanningContext {
    let intent: Intent
    let catalog: Catalog
    let settings: PlannerSettings
    /// The relation that the top level reads, or whose row type a function returns.
    let root: QualifiedName

    /// Whether the rows of the top level are what a write or a call leaves, not those of a relation.
    var readsResult: Bool { intent.action != .read }

    /// Whether the request changes rows by itself; a function may do so too, but nobody knows.
    var isWrite: Bool {
        switch intent.action {
        case .insert, .upsertOne, .update, .delete: true
        case .read, .call: false
        }
    }
}

extension Planner {
    /// All passes, in order. What a client wrote is placed first, and names are looked up after that, so a
    /// fault is about the first thing that is wrong with the request itself.
    static let readPasses: [any ReadPass] = [
        LayOutLevels(),
        PlaceFilters(),
        PlaceOrders(),
        PlaceRanges(),
        PlaceLogic(),
        ResolveRelationships(),
        ExpandStars(),
        TypeFields(),
        NameOutputs(),
        ResolveRelatedOrders(),
        ResolveEmbeddedNullFilters(),
        SelectEmbeddedLevels(),
        CheckAggregates(),
        HoistSpreadAggregates(),
        OrderInsideSpreads(),
        CapRanges(),
    ]
}
