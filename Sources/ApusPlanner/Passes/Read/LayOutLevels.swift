import ApusCatalog

/// Makes a level of every embedded relation in `select`. Names are taken as written: sources, types and
/// relationships are found by later passes.
struct LayOutLevels: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        if context.readsResult { plan.sourceAlias = context.root.name }
        fill(&plan, with: context.intent.select, schema: context.root.schema)
    }

    private func fill(_ level: inout ReadPlan, with items: [SelectItem], schema: String) {
        for item in items {
            switch item {
            case .field(let field):
                level.select.append(PlannedSelect(field))
            case .relation(let relation):
                var child = ReadPlan(
                    source: QualifiedName(schema, relation.name), name: relation.name,
                    alias: relation.alias, hint: relation.hint, join: relation.join,
                    spread: relation.isSpread ? .toOne : nil, depth: level.depth + 1)
                fill(&child, with: relation.select, schema: schema)
                level.children.append(child)
            }
        }
    }
}

extension PlannedSelect {
    fileprivate init(_ selected: SelectItem.SelectedField) {
        self.init(
            field: PlannedField(selected.field), aggregate: selected.aggregate,
            aggregateCast: selected.aggregateCast, cast: selected.cast, alias: selected.alias)
    }
}

extension PlannedField {
    /// A field of which nothing is known yet but what the client wrote.
    init(_ field: Field) {
        self.init(name: field.name, path: field.path)
    }
}
