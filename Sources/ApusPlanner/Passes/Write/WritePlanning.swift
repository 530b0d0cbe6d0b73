import ApusCatalog

/// Plans the change that an insert, update, delete or `PUT` makes.
struct WritePlanning {
    private let intent: Intent
    private let relation: Relation
    private let typing: FieldTyping

    init(_ context: PlanningContext, of relation: Relation) {
        intent = context.intent
        self.relation = relation
        typing = FieldTyping(
            relation: relation, representations: context.catalog.representations)
    }

    /// - Parameter read: what is read of the written rows; it must find its columns in them.
    /// - Throws: `columnNotFound`, `filtersAreNotTheKey`, `limitWithoutOrder`.
    func plan(thenRead read: ReadPlan) throws(PlanFault) -> WritePlan {
        let change = try change()
        return WritePlan(
            target: relation.name, change: change, filters: conditions,
            returning: returning(to: read),
            appliesDefaults: intent.preferences.missing == .default && intent.action != .upsertOne,
            takesBody: intent.action != .delete && intent.payload != nil,
            targetIsView: relation.isView, page: try page())
    }

    // MARK: - Non public

    private func change() throws(PlanFault) -> WritePlan.Change {
        switch intent.action {
        case .update:
            return .update(columns: try columns())
        case .upsertOne:
            guard filtersNameTheKey else { throw .filtersAreNotTheKey }
            let conflict = WritePlan.Conflict(
                resolution: .mergeDuplicates, columns: relation.primaryKey)
            return .insert(columns: try columns(), conflict: conflict, primaryKey: [])
        case .insert:
            return .insert(
                columns: try columns(), conflict: conflict, primaryKey: relation.primaryKey)
        case .delete, .read, .call:
            return .delete
        }
    }

    /// `limit` and `offset` of an update or delete. Which rows are left alone must not be left to chance.
    private func page() throws(PlanFault) -> WritePlan.Page? {
        guard intent.action == .update || intent.action == .delete,
            intent.range.limit != nil || intent.range.offset != 0
        else { return nil }
        var order: [PlannedOrder] = []
        for term in intent.order.filter(\.path.isEmpty).flatMap(\.value) {
            guard case .field(let field, let direction, let nulls) = term else { throw .limitWithoutOrder }
            order.append(.field(typing.typed(PlannedField(field)), direction, nulls))
        }
        guard !order.isEmpty, !relation.primaryKey.isEmpty else { throw .limitWithoutOrder }
        return WritePlan.Page(key: relation.primaryKey, order: order, range: intent.range)
    }

    /// Every key of the body must be a column.
    private func columns() throws(PlanFault) -> [PlannedField] {
        var columns: [PlannedField] = []
        for name in intent.payloadKeys {
            guard let column = typing.forPayload(name) else {
                throw .columnNotFound(relation: relation.name.name, column: name)
            }
            columns.append(column)
        }
        return columns
    }

    /// `Prefer: resolution` applies to the columns of `on_conflict`, else to the primary key; without either
    /// there is nothing to conflict with.
    private var conflict: WritePlan.Conflict? {
        let columns = intent.onConflict ?? relation.primaryKey
        guard let resolution = intent.preferences.resolution, !columns.isEmpty else { return nil }
        return WritePlan.Conflict(resolution: resolution, columns: columns)
    }

    /// The filters of a `PUT` say where the row is, and a row is at its key.
    private var filtersNameTheKey: Bool {
        guard intent.logic.isEmpty, !relation.primaryKey.isEmpty else { return false }
        let areEqualities = intent.filters.allSatisfy { placed in
            guard case .quantified(.equal, nil, _) = placed.value.operation else { return false }
            return placed.path.isEmpty && placed.value.field.path.isEmpty && !placed.value.isNegated
        }
        return areEqualities && Set(intent.filters.map(\.value.field.name)) == Set(relation.primaryKey)
    }

    private var conditions: [PlannedCondition] {
        guard intent.action != .insert else { return [] }
        let filters = intent.filters.filter(\.path.isEmpty).map { PlannedCondition($0.value) }
        let logic = intent.logic.filter(\.path.isEmpty).map { PlannedCondition($0.value) }
        return (filters + logic).map { typing.typed($0) }
    }

    /// Nothing is returned to a client that wants nothing. The key is always needed to say where a new row is.
    private func returning(to read: ReadPlan) -> [String] {
        switch intent.preferences.representation {
        case nil, .minimal: []
        case .full, .headersOnly:
            read.neededColumns(besides: relation.primaryKey + read.orderColumns)
        }
    }
}

extension Intent {
    /// Keys of the body's objects, in the order of their bytes.
    var payloadKeys: [String] {
        switch payload {
        case .json(let keys): keys.sortedByBytes()
        case .uninspectedJSON: Set(columns ?? []).sortedByBytes()
        case .form(let arguments): Set(arguments.map(\.name)).sortedByBytes()
        case .raw, nil: []
        }
    }
}
