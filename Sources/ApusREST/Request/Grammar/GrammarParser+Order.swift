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
        let direction: OrderTerm.Direction? = try modifier(("asc", .ascending), ("desc", .descending))
        let nulls: OrderTerm.Nulls? = try modifier(("nullsfirst", .first), ("nullslast", .last))
        let comma = try optional { parser throws(Mismatch) in
            try parser.attempt { parser throws(Mismatch) in
                try parser.ahead { parser throws(Mismatch) in try parser.character(",") }
            }
        }
        if comma == nil {
            try attempt { parser throws(Mismatch) in try parser.end() }
        }
        return (direction, nulls)
    }

    private mutating func modifier<Value>(
        _ choices: (StaticString, Value)...
    ) throws(Mismatch) -> Value? {
        for (word, value) in choices {
            let found = try optional { parser throws(Mismatch) in
                try parser.attempt { parser throws(Mismatch) in
                    try parser.delimiter()
                    try parser.string(word)
                }
            }
            if found != nil { return value }
        }
        return nil
    }
}
