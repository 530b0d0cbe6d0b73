import ApusCatalog
import ApusPlanner
import ApusSQL

/// What the top level of a read reads.
enum ReadSource {
    /// The relation that the plan names.
    case relation
    /// The rows of a change or a call: a name, or a query in brackets.
    case rows(SQL)
}

// MARK: - Read

extension StatementBuilder {
    /// The query of one level and, inside it, of the levels below.
    ///
    /// A to-many level is a subquery in the select list where it can be: PostgreSQL then makes it for the
    /// rows of the page only, while a lateral join below an `ORDER BY … LIMIT` is made for every row.
    mutating func query(
        _ plan: ReadPlan, in parent: ReadPlan? = nil, from source: ReadSource = .relation
    ) -> SQL {
        let table = plan.reference
        let embeds = plan.embeds
        var items: [SQL] = []
        // An empty select takes all columns; which of them are shown is decided where they are used.
        if plan.select.isEmpty, plan.children.isEmpty { items.append(.column("*", of: table)) }
        for item in plan.select { items.append(selected(item, of: table)) }
        if case .toMany(let extras, _) = plan.spread {
            for extra in extras {
                let owner = extra.relation.map { QualifiedName("", $0) } ?? table
                items.append(selected(extra.column, of: owner))
            }
        }
        for embed in embeds { items += embeddedItems(embed, in: plan) }
        var sql: SQL = "SELECT \(items.joined(separator: ", ")) FROM \(from(plan, in: parent, source))"
        for embed in embeds { sql += lateralJoin(embed, in: plan) }
        sql += restricted(to: restrictions(plan, embeds: embeds))
        sql += grouping(plan, of: table)
        sql += ordering(plan.order, of: table)
        return sql + page(plan.range)
    }

    /// `FROM`'s items: the relation or function, and the junction of a many-to-many relationship.
    mutating func from(_ plan: ReadPlan, in parent: ReadPlan?, _ source: ReadSource) -> SQL {
        var sql: SQL
        switch (source, plan.relationship?.cardinality) {
        case (.rows(let rows), _): return "\(rows) AS \(ident: plan.sourceAlias ?? plan.source.name)"
        case (.relation, .computed(let function, _)):
            // The cast chooses among overloads when the rows above come out of a query.
            let row: SQL = "\(ident: parent?.reference.name ?? "")::\(SQL.name(plan.computedArgument))"
            sql = "\(SQL.name(function))(\(row))"
        case (.relation, _): sql = .name(plan.source)
        }
        if let alias = plan.sourceAlias { sql += " AS \(ident: alias)" }
        if case .manyToMany(let junction) = plan.relationship?.cardinality {
            sql += ", \(SQL.name(junction.table))"
        }
        return sql
    }

    private mutating func restrictions(_ plan: ReadPlan, embeds: [Embed]) -> [SQL] {
        var result: [SQL] = []
        for item in plan.filters {
            result.append(
                condition(item, on: plan.reference) { builder, subquery, isNegated in
                    let embed = embeds.first { $0.alias == subquery }
                    guard let embed, embed.isTestedByExistence else {
                        return Self.aliasTest(&builder, subquery: subquery, isNegated: isNegated)
                    }
                    return builder.exists(embed.plan, in: plan, isNegated: !isNegated)
                })
        }
        result += plan.joinConditions.map(joined)
        for embed in embeds where embed.plan.join == .inner && !embed.isLateral {
            result.append(exists(embed.plan, in: plan, isNegated: false))
        }
        return result
    }

    func joined(_ condition: ReadPlan.JoinCondition) -> SQL {
        let left = SQL.column(condition.left.column, of: condition.left.table)
        let right = SQL.column(condition.right.column, of: condition.right.table)
        return "\(left) = \(right)"
    }

    /// `LIMIT` and `OFFSET`. The limit is part of the text: bound, PostgreSQL would plan anew at every
    /// execution (a generic plan looks dearer to it), which costs a list of 20 rows twice its time. Offsets
    /// differ too much to have a text each.
    mutating func page(_ range: RowRange) -> SQL {
        var sql = SQL()
        if let limit = range.limit { sql += " LIMIT \(SQL(trusted: String(limit)))" }
        if range.offset != 0 { sql += " OFFSET \(value(.constant(.text(String(range.offset)))))" }
        return sql
    }
}

extension ReadPlan {
    /// The name by which this level's columns are known.
    var reference: QualifiedName {
        if let sourceAlias { return QualifiedName("", sourceAlias) }
        if case .computed(let function, _) = relationship?.cardinality {
            return QualifiedName("", function.name)
        }
        return source
    }

    /// The relation whose rows a computed relationship's function takes.
    fileprivate var computedArgument: QualifiedName { relationship?.source ?? source }
}
