import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Changes

extension StatementBuilder {
    /// The change itself. `returning` is empty for a change of which only the number of rows counts.
    mutating func change(_ plan: WritePlan, returning: SQL) -> SQL {
        switch plan.change {
        case .insert(let columns, let conflict, _):
            insert(plan, columns: columns, conflict: conflict, returning: returning)
        case .update(let columns): update(plan, columns: columns, returning: returning)
        case .delete: "DELETE FROM \(SQL.name(plan.target))\(matching(plan))\(returning)"
        }
    }

    /// ` RETURNING …` the columns that the read of the rows needs; a constant when it needs none, so that
    /// rows can be counted without the right to read them.
    func returning(_ plan: WritePlan) -> SQL {
        if plan.returning.isEmpty { return " RETURNING 1" }
        return " RETURNING " + columns(plan.returning, of: plan.target)
    }

    /// How many rows of a merge were there before: each was counted when it was met.
    static let mergedCount: SQL = "coalesce(nullif(current_setting('apus.merged', true), '')::bigint, 0)"

    /// Whether the change counts the rows that it found there, see ``mergedCount``.
    func countsMerged(_ plan: WritePlan) -> Bool {
        guard case .insert(let columns, let conflict?, _) = plan.change else { return false }
        return conflict.resolution == .mergeDuplicates && !conflict.columns.isEmpty && !columns.isEmpty
    }

    // MARK: - Non public

    private mutating func insert(
        _ plan: WritePlan, columns: [PlannedField], conflict: WritePlan.Conflict?, returning: SQL
    ) -> SQL {
        let names = columns.map { SQL.ident($0.name) }.joined(separator: ", ")
        var sql: SQL = "INSERT INTO \(SQL.name(plan.target))"
        if !columns.isEmpty { sql += " (\(names))" }
        let values = columns.map { SQL.column($0.name, of: Names.body) }.joined(separator: ", ")
        sql += " SELECT \(values) FROM \(payload(columns, appliesDefaults: plan.appliesDefaults))"
        // Only PUT has filters here: the body must be of the row that the URL names.
        sql += restricted(to: conditions(plan.filters, on: Names.body))
        if let conflict, !conflict.columns.isEmpty {
            sql += resolution(of: conflict, columns: columns, counts: countsMerged(plan))
        }
        return sql + returning
    }

    private func resolution(
        of conflict: WritePlan.Conflict, columns: [PlannedField], counts: Bool
    ) -> SQL {
        let target = conflict.columns.map { SQL.ident($0) }.joined(separator: ", ")
        guard conflict.resolution == .mergeDuplicates, !columns.isEmpty else {
            return " ON CONFLICT (\(target)) DO NOTHING"
        }
        let changes: [SQL] = columns.map { "\(ident: $0.name) = EXCLUDED.\(ident: $0.name)" }
        // The condition always holds. It counts, in a setting of the transaction: system columns that tell
        // an inserted row from an updated one (`xmax`) need the right to read them and are not there in
        // views.
        let count: SQL = "set_config('apus.merged', (\(Self.mergedCount) + 1)::text, true) IS NOT NULL"
        return " ON CONFLICT (\(target)) DO UPDATE SET \(changes.joined(separator: ", "))"
            + (counts ? " WHERE \(count)" : "")
    }

    private mutating func update(_ plan: WritePlan, columns: [PlannedField], returning: SQL) -> SQL {
        let target = SQL.name(plan.target)
        if columns.isEmpty {
            // There is nothing to set, and no such statement. The columns must be there all the same.
            let shown =
                plan.returning.isEmpty
                ? "NULL" : self.columns(plan.returning, of: QualifiedName("", plan.target.name))
            return "SELECT \(shown) FROM \(target) WHERE false"
        }
        let changes: [SQL] = columns.map {
            "\(ident: $0.name) = \(SQL.column($0.name, of: Names.body))"
        }
        let rows = payload(columns, appliesDefaults: plan.appliesDefaults)
        return "UPDATE \(target) SET \(changes.joined(separator: ", ")) FROM \(rows)"
            + matching(plan) + returning
    }

    private mutating func matching(_ plan: WritePlan) -> SQL {
        let found = restricted(to: conditions(plan.filters, on: plan.target))
        guard let page = plan.page else { return found }
        let key = columns(page.key, of: plan.target)
        let chosen: SQL = "SELECT \(key) FROM \(SQL.name(plan.target))\(found)"
        return
            " WHERE (\(key)) IN (\(chosen)\(ordering(page.order, of: plan.target))\(self.page(page.range)))"
    }

    func columns(_ names: [String], of table: QualifiedName) -> SQL {
        names.map { SQL.column($0, of: table) }.joined(separator: ", ")
    }
}
