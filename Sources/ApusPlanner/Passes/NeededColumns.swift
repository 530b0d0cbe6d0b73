import ApusCatalog

extension ReadPlan {
    /// Columns that must come out of a write or a call so that this plan can read them: what is selected and
    /// ordered by on the top level, what the levels below are joined by, and `besides`.
    func neededColumns(besides: [String]) -> [String] {
        let selected = Set(select.map(\.field.name))
        // With `*` every column is there, and a second mention would make its name ambiguous.
        guard !selected.contains("*") else { return ["*"] }
        var needed = selected.union(besides)
        for child in children {
            switch child.relationship?.cardinality {
            case .oneToMany(_, let columns), .manyToOne(_, let columns), .oneToOne(_, let columns, _):
                needed.formUnion(columns.map(\.source))
            case .manyToMany(let junction):
                needed.formUnion(junction.sourceColumns.map(\.source))
            case .computed:
                // Nobody knows which columns the function reads.
                return ["*"]
            case nil:
                break
            }
        }
        return needed.sortedByBytes()
    }

    /// Columns of the top level that filters name.
    var filterColumns: [String] { Set(filters.flatMap(\.columns)).sortedByBytes() }

    /// Columns of the top level that it is ordered by.
    var orderColumns: [String] {
        let columns = order.compactMap { order in
            if case .field(let field, _, _) = order { field.name } else { nil }
        }
        return Set(columns).sortedByBytes()
    }
}

extension PlannedCondition {
    fileprivate var columns: [String] {
        switch self {
        case .filter(let filter): [filter.field.name]
        case .group(_, _, let members): members.flatMap(\.columns)
        case .embeddedIsNull: []
        }
    }
}
