import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Fields

extension StatementBuilder {
    /// A field of a relation or alias, with the conversions that its use needs, but no transform.
    func field(_ field: PlannedField, of table: QualifiedName) -> SQL {
        let bare = bareField(field, of: table)
        guard let conversion = field.textSearch else { return bare }
        return "to_tsvector(\(language(conversion.language))\(bare))"
    }

    /// The same, presented through the function of a domain representation where there is one.
    func presented(_ field: PlannedField, of table: QualifiedName) -> SQL {
        let sql = self.field(field, of: table)
        guard let transform = field.transform else { return sql }
        return "\(SQL(trusted: transform))(\(sql))"
    }

    private func bareField(_ field: PlannedField, of table: QualifiedName) -> SQL {
        if field.isWholeRow { return .ident(table.name) }
        let column = SQL.column(field.name, of: table)
        if field.path.isEmpty { return column }
        return (field.needsJSON ? "to_jsonb(\(column))" : column) + path(field.path)
    }

    /// Keys and indexes are literals, not binds: they are part of the request's shape, and an index on the
    /// same expression (`data->>'key'`) is found only then.
    func path(_ steps: [JSONStep]) -> SQL {
        var sql = SQL()
        for step in steps {
            sql += step.asText ? "->>" : "->"
            switch step.operand {
            case .key(let key): sql += .literal(key)
            case .index(let index): sql += "\(literal: index)::int"
            }
        }
        return sql
    }

    /// The first argument of a text search function, if a configuration was named.
    func language(_ language: String?) -> SQL {
        guard let language else { return "" }
        return "\(literal: language), "
    }

    // MARK: - Select

    /// An item of a select list.
    func selected(_ item: PlannedSelect, of table: QualifiedName) -> SQL {
        let value = cast(presented(item.field, of: table), to: item.cast)
        return aggregated(value, item.aggregate, cast: item.aggregateCast) + alias(item.alias)
    }

    /// A column that a spread level hands up.
    func selected(_ column: EmbeddedSelect.SpreadColumn, of subquery: String) -> SQL {
        let value = SQL.column(column.name, of: QualifiedName("", subquery))
        return aggregated(value, column.aggregate, cast: column.aggregateCast) + alias(column.alias)
    }

    private func alias(_ name: String?) -> SQL {
        guard let name else { return "" }
        return " AS \(ident: name)"
    }

    private func cast(_ sql: SQL, to type: String?) -> SQL {
        guard let type else { return sql }
        return "CAST(\(sql) AS \(SQL.type(named: type)))"
    }

    private func aggregated(_ sql: SQL, _ function: AggregateFunction?, cast type: String?) -> SQL {
        let name: SQL
        switch function {
        case nil: return sql
        case .sum: name = "sum"
        case .avg: name = "avg"
        case .max: name = "max"
        case .min: name = "min"
        case .count: name = "count"
        }
        return cast("\(name)(\(sql))", to: type)
    }

    // MARK: - Group and order

    /// `GROUP BY` what is not aggregated, when anything is.
    func grouping(_ plan: ReadPlan, of table: QualifiedName) -> SQL {
        guard plan.isAggregated else { return "" }
        var terms: [SQL] = []
        for item in plan.select where item.aggregate == nil {
            terms.append(item.alias.map { .ident($0) } ?? field(item.field, of: table))
        }
        for embedded in plan.embeddedSelect {
            switch embedded {
            case .json(let name, _, _, let isEmpty): if !isEmpty { terms.append(.ident(name)) }
            case .spread(let columns, let subquery):
                for column in columns where column.aggregate == nil {
                    terms.append("\(ident: subquery).\(ident: column.alias ?? column.name)")
                }
            }
        }
        return terms.isEmpty ? "" : " GROUP BY \(terms.joined(separator: ", "))"
    }

    func ordering(_ terms: [PlannedOrder], of table: QualifiedName) -> SQL {
        if terms.isEmpty { return "" }
        return " ORDER BY " + terms.map { orderTerm($0, of: table) }.joined(separator: ", ")
    }

    private func orderTerm(_ term: PlannedOrder, of table: QualifiedName) -> SQL {
        let (value, direction, nulls): (SQL, OrderTerm.Direction?, OrderTerm.Nulls?)
        switch term {
        case .field(let field, let d, let n): (value, direction, nulls) = (self.field(field, of: table), d, n)
        case .related(let subquery, let field, let d, let n):
            let planned = PlannedField(name: field.name, path: field.path)
            value = self.field(planned, of: QualifiedName("", subquery))
            (direction, nulls) = (d, n)
        }
        var sql = value
        switch direction {
        case nil: break
        case .ascending: sql += " ASC"
        case .descending: sql += " DESC"
        }
        switch nulls {
        case nil: break
        case .first: sql += " NULLS FIRST"
        case .last: sql += " NULLS LAST"
        }
        return sql
    }
}

extension ReadPlan {
    /// Whether this level groups: something on it, or handed up to it, is aggregated.
    var isAggregated: Bool {
        select.contains { $0.aggregate != nil }
            || embeddedSelect.contains { embedded in
                if case .spread(let columns, _) = embedded { return columns.contains { $0.aggregate != nil } }
                return false
            }
    }

    /// Whether this level or one below groups.
    var containsAggregation: Bool { isAggregated || children.contains(where: \.containsAggregation) }
}
