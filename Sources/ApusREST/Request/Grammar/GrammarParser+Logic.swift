import ApusPlanner

/// `and(a.eq.1,not.or(b.lt.2,c.in.(3,4)))`
extension GrammarParser {
    mutating func logicTree() throws(Mismatch) -> LogicTree {
        try countItem()
        return try either(
            { parser throws(Mismatch) in
                .filter(try parser.attempt { parser throws(Mismatch) in try parser.logicFilter() })
            },
            { parser throws(Mismatch) in try parser.logicGroup() })
    }

    private mutating func logicFilter() throws(Mismatch) -> Filter {
        let field = try field()
        try delimiter()
        let (isNegated, operation) = try operation(operand: .insideLogic)
        return Filter(field: field, isNegated: isNegated, operation: operation)
    }

    private mutating func logicGroup() throws(Mismatch) -> LogicTree {
        let isNegated = try named("negation operator (not)") { parser throws(Mismatch) in
            parser.negation()
        }
        let connective = try named("logic operator (and, or)") { parser throws(Mismatch) in
            if parser.takes({ parser throws(Mismatch) in try parser.string("and") }) {
                return LogicTree.Operator.and
            }
            try parser.string("or")
            return .or
        }
        try lexeme("(")
        let members = try nested { parser throws(Mismatch) in
            try parser.separated(
                by: { parser throws(Mismatch) in try parser.comma() },
                { parser throws(Mismatch) in try parser.logicTree() })
        }
        try lexeme(")")
        return .group(isNegated: isNegated, connective, members)
    }
}
