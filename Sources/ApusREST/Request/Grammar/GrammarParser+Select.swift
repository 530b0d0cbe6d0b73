import ApusPlanner

/// `select=alias:column->path::cast.sum()::cast,alias:relation!hint!inner(…),...spread(…)`
extension GrammarParser {
    mutating func selectItems() throws(Mismatch) -> [SelectItem] {
        let items = try optional { parser throws(Mismatch) in
            try parser.separated(
                by: { parser throws(Mismatch) in try parser.comma() },
                { parser throws(Mismatch) in try parser.selectItem() })
        }
        return items ?? []
    }

    private mutating func selectItem() throws(Mismatch) -> SelectItem {
        try countItem()
        return try either(
            { parser throws(Mismatch) in
                try parser.embedded { parser throws(Mismatch) in try parser.spreadHead() }
            },
            { parser throws(Mismatch) in
                try parser.either(
                    { parser throws(Mismatch) in
                        try parser.embedded { parser throws(Mismatch) in try parser.relationHead() }
                    },
                    { parser throws(Mismatch) in .field(try parser.selectedField()) })
            })
    }

    // MARK: - Relations

    private mutating func embedded(
        _ head: (inout GrammarParser) throws(Mismatch) -> SelectItem.EmbeddedRelation
    ) throws(Mismatch) -> SelectItem {
        var relation = try attempt { parser throws(Mismatch) in
            parser.skipBlanks()
            let relation = try head(&parser)
            guard parser.isAhead("(") else { throw Mismatch() }
            parser.skipBlanks()
            return relation
        }
        try character("(")
        relation.select = try nested { parser throws(Mismatch) in try parser.selectItems() }
        try character(")")
        return .relation(relation)
    }

    private mutating func spreadHead() throws(Mismatch) -> SelectItem.EmbeddedRelation {
        try string("...")
        let name = try fieldName()
        let (hint, join) = try embedParameters()
        return .init(name: name, hint: hint, join: join, isSpread: true)
    }

    private mutating func relationHead() throws(Mismatch) -> SelectItem.EmbeddedRelation {
        let alias = alias()
        let name = try fieldName()
        // `count()` is an aggregate.
        guard name != "count" else { throw Mismatch() }
        let (hint, join) = try embedParameters()
        return .init(name: name, alias: alias, hint: hint, join: join)
    }

    private enum EmbedParameter {
        case hint(String)
        case join(SelectItem.EmbeddedRelation.Join)
    }

    /// Up to two of `!hint`, `!inner`, `!left`, in any order; of two of a kind the first counts.
    private mutating func embedParameters() throws(Mismatch) -> (
        hint: String?, join: SelectItem.EmbeddedRelation.Join?
    ) {
        var hint: String?
        var join: SelectItem.EmbeddedRelation.Join?
        for _ in 0..<2 {
            switch try optional({ parser throws(Mismatch) in try parser.embedParameter() }) {
            case .hint(let name): hint = hint ?? name
            case .join(let kind): join = join ?? kind
            case nil: break
            }
        }
        return (hint, join)
    }

    private mutating func embedParameter() throws(Mismatch) -> EmbedParameter {
        try character("!")
        let keywords: [(StaticString, EmbedParameter)] = [("left", .join(.left)), ("inner", .join(.inner))]
        for (keyword, parameter) in keywords {
            if takes({ parser throws(Mismatch) in try parser.string(keyword) }) { return parameter }
        }
        return try attempt { parser throws(Mismatch) in .hint(try parser.fieldName()) }
    }

    // MARK: - Fields

    private mutating func selectedField() throws(Mismatch) -> SelectItem.SelectedField {
        skipBlanks()
        let field = try either(
            { parser throws(Mismatch) in
                try parser.attempt { parser throws(Mismatch) in try parser.star() }
            },
            { parser throws(Mismatch) in
                try parser.either(
                    { parser throws(Mismatch) in
                        try parser.attempt { parser throws(Mismatch) in try parser.countOfRows() }
                    },
                    { parser throws(Mismatch) in try parser.columnWithCasts() })
            })
        skipBlanks()
        return field
    }

    private mutating func star() throws(Mismatch) -> SelectItem.SelectedField {
        try string("*")
        try endOfItem()
        return .init(field: Field(name: "*"))
    }

    private mutating func countOfRows() throws(Mismatch) -> SelectItem.SelectedField {
        let alias = alias()
        try string("count()")
        let cast = try cast()
        try endOfItem()
        return .init(field: Field(name: "*"), aggregate: .count, aggregateCast: cast, alias: alias)
    }

    private mutating func columnWithCasts() throws(Mismatch) -> SelectItem.SelectedField {
        let alias = alias()
        let field = try field()
        let cast = try cast()
        let aggregate = tried { parser throws(Mismatch) in
            try parser.character(".")
            let function = try parser.aggregateFunction()
            try parser.string("()")
            return function
        }
        let aggregateCast = try self.cast()
        try endOfItem()
        return .init(
            field: field, aggregate: aggregate, aggregateCast: aggregateCast, cast: cast, alias: alias)
    }

    /// A name before a single colon.
    private mutating func alias() -> String? {
        tried { parser throws(Mismatch) in
            let name = try parser.fieldName()
            try parser.character(":")
            try parser.notFollowed(by: ":")
            return name
        }
    }

    private mutating func cast() throws(Mismatch) -> String? {
        try optional { parser throws(Mismatch) in
            try parser.string("::")
            return try parser.identifier()
        }
    }

    private mutating func aggregateFunction() throws(Mismatch) -> AggregateFunction {
        let plain: [(StaticString, AggregateFunction)] = [("sum", .sum), ("avg", .avg), ("count", .count)]
        for (name, function) in plain {
            if try optional({ parser throws(Mismatch) in try parser.string(name) }) != nil { return function }
        }
        // These two begin alike.
        if takes({ parser throws(Mismatch) in try parser.string("max") }) { return .max }
        try attempt { parser throws(Mismatch) in try parser.string("min") }
        return .min
    }

    private mutating func endOfItem() throws(Mismatch) {
        if isAhead(")") || isAhead(",") { return }
        try attempt { parser throws(Mismatch) in try parser.end() }
    }
}
