/// Moves the aggregates of to-one spreads to where the rows are.
///
/// In `projects?select=client_id,...invoices(total.sum())` the sum of one project's one invoice says nothing;
/// asked for is the sum per client. So an aggregate in a to-one spread is applied on the nearest level above
/// that is not spread itself, and its own level only selects the column.
struct HoistSpreadAggregates: ReadPass {
    /// An aggregate on its way up.
    private struct Hoisted {
        /// The level that it comes out of, as seen from the level above.
        var subqueryAlias: String
        var column: String
        var aggregate: AggregateFunction
        var cast: String?
        var alias: String?
    }

    func run(on plan: inout ReadPlan, in context: PlanningContext) {
        _ = hoist(from: &plan)
    }

    /// Takes the aggregates out of a level that is a to-one spread; applies those from below on one that is
    /// not.
    private func hoist(from level: inout ReadPlan) -> [Hoisted] {
        var fromBelow: [Hoisted] = []
        for index in level.children.indices { fromBelow += hoist(from: &level.children[index]) }
        guard level.spread == .toOne else {
            level.embeddedSelect = level.embeddedSelect.map { applying(fromBelow, to: $0) }
            return []
        }
        let alias = level.subqueryAlias
        let passedOn = fromBelow.map { hoisted in
            var hoisted = hoisted
            hoisted.subqueryAlias = alias
            return hoisted
        }
        return takeAggregates(of: &level) + passedOn
    }

    private func takeAggregates(of level: inout ReadPlan) -> [Hoisted] {
        var taken: [Hoisted] = []
        for index in level.select.indices {
            let select = level.select[index]
            guard let aggregate = select.aggregate else { continue }
            taken.append(
                Hoisted(
                    subqueryAlias: level.subqueryAlias, column: select.alias ?? select.field.name,
                    aggregate: aggregate, cast: select.aggregateCast, alias: select.alias))
            level.select[index].aggregate = nil
            level.select[index].aggregateCast = nil
        }
        return taken
    }

    private func applying(_ hoisted: [Hoisted], to select: EmbeddedSelect) -> EmbeddedSelect {
        guard case .spread(let columns, let subqueryAlias) = select else { return select }
        let applied = columns.map { column in
            let found = hoisted.first {
                $0.subqueryAlias == subqueryAlias && $0.column == column.name
            }
            guard let found else { return column }
            return EmbeddedSelect.SpreadColumn(
                name: column.name, aggregate: found.aggregate, aggregateCast: found.cast,
                alias: found.alias)
        }
        return .spread(applied, subqueryAlias: subqueryAlias)
    }
}
