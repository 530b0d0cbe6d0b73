import ApusCatalog

/// Puts the columns in place of `*` where a `*` would not do: where a column is shown in another form (a
/// domain representation), where there is grouping, and where every column becomes an array.
struct ExpandStars: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        expand(&plan, belowGrouping: false, context.catalog)
    }

    private func expand(_ level: inout ReadPlan, belowGrouping: Bool, _ catalog: Catalog) {
        let needsColumns = belowGrouping || level.isGrouped
        let columns = catalog.relations[level.source]?.columns ?? []
        if needsColumns || columns.contains(where: { isRepresented($0, catalog) }) {
            level.select = level.select.flatMap { expanded($0, columns, isSpread: level.spread != nil) }
        }
        for index in level.children.indices {
            expand(&level.children[index], belowGrouping: needsColumns, catalog)
        }
    }

    private func isRepresented(_ column: Column, _ catalog: Catalog) -> Bool {
        catalog.representations[Catalog.Conversion(column.nominalType, "json")] != nil
    }

    private func expanded(
        _ select: PlannedSelect, _ columns: [Column], isSpread: Bool
    ) -> [PlannedSelect] {
        guard select.field.name == "*", select.field.path.isEmpty else { return [select] }
        switch select.aggregate {
        case nil:
            return columns.map { column in
                var copy = select
                copy.field = PlannedField(name: column.name)
                return copy
            }
        case .count where isSpread:
            // Counted on the level above, where `*` would be its own rows.
            var copy = select
            copy.field.isWholeRow = true
            return [copy]
        default:
            return [select]
        }
    }
}

extension ReadPlan {
    fileprivate var isGrouped: Bool {
        if case .toMany = spread { return true }
        return select.contains { $0.aggregate != nil }
    }
}
