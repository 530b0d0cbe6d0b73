import ApusCatalog

/// Lists on every level what the levels below add to its output: a JSON value, or the columns of a spread.
struct SelectEmbeddedLevels: ReadPass {
    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        for index in plan.children.indices { run(on: &plan.children[index], in: context) }
        plan.embeddedSelect = plan.children.map { output(of: $0) }
    }

    private func output(of level: ReadPlan) -> EmbeddedSelect {
        if level.spread != nil {
            return .spread(columns(of: level), subqueryAlias: level.subqueryAlias)
        }
        return .json(
            name: level.shownName, subqueryAlias: level.subqueryAlias,
            shape: level.relationship?.isToOne == true ? .object : .array, isEmpty: level.selectsNothing)
    }

    /// Own columns first, then what comes from below.
    private func columns(of level: ReadPlan) -> [EmbeddedSelect.SpreadColumn] {
        let own = level.select.map { select in
            EmbeddedSelect.SpreadColumn(name: select.alias ?? select.field.name)
        }
        let embedded = level.embeddedSelect.flatMap { embedded in
            switch embedded {
            case .json(let name, _, _, _): [EmbeddedSelect.SpreadColumn(name: name)]
            case .spread(let columns, _): columns
            }
        }
        return own + embedded
    }
}

extension ReadPlan {
    /// Nothing of this level or below is shown: it only filters.
    fileprivate var selectsNothing: Bool {
        select.isEmpty && children.allSatisfy(\.selectsNothing)
    }
}
