import ApusCatalog
import ApusPlanner
import ApusSQL

/// A level below with what it shows on this one, and how the two are put together.
struct Embed {
    enum Placement {
        /// Joined: its columns are needed beside this level's, or its rows decide about this level's rows.
        case lateral
        /// A value in the select list.
        case subquery
        /// Shows nothing.
        case nowhere
    }

    let plan: ReadPlan
    let shown: EmbeddedSelect
    let placement: Placement
    /// Whether "has such rows" is asked with `EXISTS`, which PostgreSQL turns into a semi- or anti-join,
    /// and not by looking at what was joined.
    let isTestedByExistence: Bool

    var alias: String { plan.subqueryAlias }

    var isLateral: Bool { if case .lateral = placement { true } else { false } }

    init(_ plan: ReadPlan, shown: EmbeddedSelect, on parent: ReadPlan) {
        self.plan = plan
        self.shown = shown
        let isSimple = plan.isDecidedByExistence
        isTestedByExistence = isSimple && !plan.isSpread
        let decides = plan.join == .inner || parent.filters.contains { $0.tests(plan.subqueryAlias) }
        switch shown {
        case .spread: placement = .lateral
        case .json(_, _, let shape, let isEmpty):
            let isNeededBeside =
                (decides && !isSimple) || parent.order.contains { $0.uses(plan.subqueryAlias) }
            if isNeededBeside {
                placement = .lateral
            } else if isEmpty {
                placement = .nowhere
            } else {
                // A to-one level joins as an ordinary join. Grouping needs a column to name.
                placement = shape == .object || parent.isAggregated ? .lateral : .subquery
            }
        }
    }
}

extension ReadPlan {
    /// The levels below, in the order in which they show.
    var embeds: [Embed] {
        embeddedSelect.compactMap { shown in
            let alias: String
            switch shown {
            case .json(_, let subquery, _, _): alias = subquery
            case .spread(_, let subquery): alias = subquery
            }
            return children.first { $0.subqueryAlias == alias }.map { Embed($0, shown: shown, on: self) }
        }
    }

    fileprivate var isSpread: Bool { spread != nil }

    /// Whether the level shows something exactly when its conditions hold for some row: no page and no
    /// aggregate comes between, here or on the levels below that decide.
    fileprivate var isDecidedByExistence: Bool {
        range == .all && !isAggregated
            && children.allSatisfy { child in
                let decides =
                    child.join == .inner || filters.contains { $0.tests(child.subqueryAlias) }
                return !decides || child.isDecidedByExistence
            }
    }
}

extension PlannedCondition {
    /// Whether it asks for rows of an embedded relation.
    fileprivate func tests(_ alias: String) -> Bool {
        switch self {
        case .group(_, _, let members): members.contains { $0.tests(alias) }
        case .filter: false
        case .embeddedIsNull(_, let subquery): subquery == alias
        }
    }
}

extension PlannedOrder {
    fileprivate func uses(_ alias: String) -> Bool {
        if case .related(let subquery, _, _, _) = self { return subquery == alias }
        return false
    }
}

// MARK: - Embedding

extension StatementBuilder {
    /// What a level below adds to the select list.
    mutating func embeddedItems(_ embed: Embed, in parent: ReadPlan) -> [SQL] {
        switch embed.shown {
        case .spread(let columns, let subquery): return columns.map { selected($0, of: subquery) }
        case .json(_, _, _, isEmpty: true): return []
        case .json(let name, let subquery, .object, _):
            return ["\(rowFunction)(\(ident: subquery).*) AS \(ident: name)"]
        case .json(let name, let subquery, .array, _) where embed.placement == .subquery:
            let rows = query(embed.plan, in: parent)
            let array: SQL = "coalesce(\(arrayFunction)(\(ident: subquery)), '[]')"
            return ["(SELECT \(array) FROM (\(rows)) AS \(ident: subquery)) AS \(ident: name)"]
        case .json(let name, let subquery, .array, _):
            return ["coalesce(\(ident: subquery).\(ident: subquery), '[]') AS \(ident: name)"]
        }
    }

    /// ` LEFT JOIN LATERAL (…) AS alias ON …`, or nothing for a level that is not joined.
    mutating func lateralJoin(_ embed: Embed, in parent: ReadPlan) -> SQL {
        guard embed.isLateral else { return "" }
        let alias = SQL.ident(embed.alias)
        let isInner = embed.plan.join == .inner
        var rows = query(embed.plan, in: parent)
        var match: SQL = "TRUE"
        if let columns = embed.arrayColumns(self) {
            rows = "SELECT \(columns.joined(separator: ", ")) FROM (\(rows)) AS \(alias)"
            if isInner { match = "\(alias) IS NOT NULL" }
        }
        return isInner
            ? " INNER JOIN LATERAL (\(rows)) AS \(alias) ON \(match)"
            : " LEFT JOIN LATERAL (\(rows)) AS \(alias) ON \(match)"
    }

    /// A column of arrays that a to-many spread hands up; always `jsonb`.
    fileprivate func spreadArray(
        _ column: EmbeddedSelect.SpreadColumn, of subquery: String, order: [PlannedOrder]
    ) -> SQL {
        let table = QualifiedName("", subquery)
        let value = SQL.column(column.name, of: table) + ordering(order, of: table)
        return "coalesce(jsonb_agg(\(value)), '[]') AS \(ident: column.alias ?? column.name)"
    }

    fileprivate var arrayFunction: SQL { embedFormat == .jsonb ? "jsonb_agg" : "json_agg" }
    fileprivate var rowFunction: SQL { embedFormat == .jsonb ? "to_jsonb" : "row_to_json" }
}

extension Embed {
    /// What is selected from a to-many level's rows when they are put into arrays; nil for a to-one level.
    fileprivate func arrayColumns(_ builder: StatementBuilder) -> [SQL]? {
        let all: SQL = "\(builder.arrayFunction)(\(ident: alias)) AS \(ident: alias)"
        switch (shown, plan.spread) {
        case (.json(_, _, .array, _), _): return [all]
        case (.spread(let columns, let subquery), .toMany(_, let order)):
            return [all] + columns.map { builder.spreadArray($0, of: subquery, order: order) }
        default: return nil
        }
    }
}
