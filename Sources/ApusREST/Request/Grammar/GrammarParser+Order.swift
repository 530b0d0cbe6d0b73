import ApusPlanner

/// `order=column->path.desc.nullslast,relation(column).asc`
extension GrammarParser {
    mutating func orderTerms() throws(Mismatch) -> [OrderTerm] {
        try separated(
            by: { parser throws(Mismatch) in try parser.character(",") },
            { parser throws(Mismatch) in
                try parser.countItem()
                parser.skipBlanks()
                let term = try parser.either(
                    { parser throws(Mismatch) in
                        try parser.attempt { parser throws(Mismatch) in try parser.relatedTerm() }
                    },
                    { parser throws(Mismatch) in try parser.fieldTerm() })
                parser.skipBlanks()
                return term
            })
    }

    private mutating func fieldTerm() throws(Mismatch) -> OrderTerm {
        let field = try field()
        let (direction, nulls) = try orderModifiers()
        return .field(field, direction, nulls)
    }

    private mutating func relatedTerm() throws(Mismatch) -> OrderTerm {
        let relation = try fieldName()
        try character("(")
        let field = try field()
        try character(")")
        let (direction, nulls) = try orderModifiers()
        return .related(relation: relation, field, direction, nulls)
    }

    private mutating func orderModifiers() throws(Mismatch) -> (OrderTerm.Direction?, OrderTerm.Nulls?) {
        let direction: OrderTerm.Direction? = modifier(("asc", .ascending), ("desc", .descending))
        let nulls: OrderTerm.Nulls? = modifier(("nullsfirst", .first), ("nullslast", .last))
        if !isAhead(",") {
            try attempt { parser throws(Mismatch) in try parser.end() }
        }
        return (direction, nulls)
    }

    private mutating func modifier<Value>(
        _ choices: (StaticString, Value)...
    ) -> Value? {
        for (word, value) in choices {
            let isWord = takes { parser throws(Mismatch) in
                try parser.delimiter()
                try parser.string(word)
            }
            if isWord { return value }
        }
        return nil
    }
}
