import ApusCatalog

/// Finds how each embedded level hangs on the level above: its source, its aliases and its join conditions.
struct ResolveRelationships: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) throws(PlanFault) {
        let finder = RelationshipFinder(catalog: context.catalog, schema: context.root.schema)
        try resolveChildren(of: &plan, finder)
    }

    private func resolveChildren(
        of parent: inout ReadPlan, _ finder: RelationshipFinder
    ) throws(PlanFault) {
        let above = Above(source: parent.source, alias: parent.sourceAlias)
        for index in parent.children.indices {
            let child = parent.children[index]
            let relationship = try finder.find(
                from: above.source.name, to: child.name, hint: child.hint)
            attach(relationship, to: &parent.children[index], below: above)
            try resolveChildren(of: &parent.children[index], finder)
        }
    }

    /// The level above, as far as a join needs it.
    private struct Above {
        var source: QualifiedName
        var alias: String?

        /// How expressions refer to it.
        func reference(_ name: QualifiedName) -> QualifiedName {
            alias.map { QualifiedName("", $0) } ?? name
        }
    }

    private func attach(_ relationship: Relationship, to level: inout ReadPlan, below above: Above) {
        level.relationship = relationship
        level.source = relationship.target
        level.subqueryAlias = "\(relationship.source.name)_\(level.shownName)_\(level.depth)"
        if level.spread != nil && !relationship.isToOne {
            level.spread = .toMany(extra: [], order: [])
        }
        switch relationship.cardinality {
        case .manyToOne(_, let columns), .oneToMany(_, let columns), .oneToOne(_, let columns, _):
            let alias = alias(of: level)
            level.sourceAlias = alias
            level.joinConditions = conditions(
                columns, from: above.reference(relationship.source), to: QualifiedName("", alias))
        case .manyToMany(let junction):
            // The junction stands beside the target in `from`, so both keep their names.
            level.joinConditions =
                conditions(junction.targetColumns, from: relationship.target, to: junction.table)
                + conditions(
                    junction.sourceColumns, from: above.reference(relationship.source),
                    to: junction.table)
        case .computed:
            // The function is applied to the row above, so there is nothing to compare.
            level.sourceAlias = alias(of: level)
        }
    }

    private func alias(of level: ReadPlan) -> String { "\(level.source.name)_\(level.depth)" }

    private func conditions(
        _ columns: [Relationship.ColumnPair], from source: QualifiedName, to target: QualifiedName
    ) -> [ReadPlan.JoinCondition] {
        columns.map { pair in
            ReadPlan.JoinCondition(
                left: ReadPlan.ColumnReference(table: target, column: pair.target),
                right: ReadPlan.ColumnReference(table: source, column: pair.source))
        }
    }
}
