import ApusPlanner

/// `not.eq(any).value`, `in.(a,"b")`, `is.null`, `fts(english).words`
extension GrammarParser {
    /// How the value behind an operator is read.
    enum OperandRule {
        /// All that is left of the parameter; it travels beside the shape, by this slot.
        case rest(slot: Int)
        /// The input is only the operator; the value was cut off and found good, and travels by this slot.
        case cutOff(slot: Int)
        /// Up to the next comma or parenthesis; it is a part of the shape.
        case insideLogic
    }

    mutating func operation(
        operand rule: OperandRule
    ) throws(Mismatch) -> (isNegated: Bool, operation: Operation) {
        let isNegated = negation()
        let operation = try named("operator (eq, gt, ...)") { parser throws(Mismatch) in
            if let operation = try parser.listOperation(rule) { return operation }
            if let operation = try parser.isOperation() { return operation }
            if let operation = try parser.distinctOperation(rule) { return operation }
            if let operation = parser.tried({ parser throws(Mismatch) in
                try parser.fullTextOperation(rule)
            }) {
                return operation
            }
            if let operation = parser.tried({ parser throws(Mismatch) in
                try parser.plainOperation(rule)
            }) {
                return operation
            }
            return try parser.attempt { parser throws(Mismatch) in try parser.quantifiedOperation(rule) }
        }
        return (isNegated, operation)
    }

    /// `not.`, or nothing.
    mutating func negation() -> Bool {
        keyword("not")
    }

    // MARK: - Operators

    private mutating func listOperation(_ rule: OperandRule) throws(Mismatch) -> Operation? {
        guard keyword("in") else { return nil }
        let start = position
        switch rule {
        case .cutOff(let slot): return .isIn(.slot(index: slot, dropping: start))
        case .rest(let slot):
            try list()
            return .isIn(.slot(index: slot, dropping: start))
        case .insideLogic:
            try list()
            return .isIn(.literal(text(from: start)))
        }
    }

    private mutating func isOperation() throws(Mismatch) -> Operation? {
        guard keyword("is") else { return nil }
        let value = try named("isVal: (null, not_null, true, false, unknown)") {
            parser throws(Mismatch) -> Operation.IsValue in
            for value in Operation.IsValue.allCases.dropLast() {
                let isValue = parser.takes { parser throws(Mismatch) in
                    try parser.caseInsensitive(value.rawValue)
                }
                if isValue { return value }
            }
            try parser.attempt { parser throws(Mismatch) in
                try parser.caseInsensitive(Operation.IsValue.unknown.rawValue)
            }
            return .unknown
        }
        return .is(value)
    }

    private mutating func distinctOperation(_ rule: OperandRule) throws(Mismatch) -> Operation? {
        guard keyword("isdistinct") else { return nil }
        return .isDistinctFrom(try value(rule))
    }

    private mutating func fullTextOperation(_ rule: OperandRule) throws(Mismatch) -> Operation {
        let search = try choice(
            ("fts", Operation.FullTextSearch.plainTSQuery), ("plfts", .plain), ("phfts", .phrase),
            ("wfts", .websearch))
        let language = tried { parser throws(Mismatch) in
            try parser.character("(")
            let language = try parser.identifier()
            try parser.character(")")
            return language
        }
        try delimiter()
        return .fullText(search, language: language, try value(rule))
    }

    private mutating func plainOperation(_ rule: OperandRule) throws(Mismatch) -> Operation {
        let comparison = try named("unknown single value operator") { parser throws(Mismatch) in
            try parser.choice(
                ("neq", Operation.Comparison.notEqual), ("cs", .contains), ("cd", .contained),
                ("ov", .overlaps), ("sl", .strictlyLeft), ("sr", .strictlyRight), ("nxr", .notExtendsRight),
                ("nxl", .notExtendsLeft), ("adj", .adjacent))
        }
        try delimiter()
        return .compare(comparison, try value(rule))
    }

    private mutating func quantifiedOperation(_ rule: OperandRule) throws(Mismatch) -> Operation {
        let comparison = try named("unknown single value operator") { parser throws(Mismatch) in
            try parser.choice(
                ("eq", Operation.QuantifiableComparison.equal), ("gte", .greaterThanOrEqual),
                ("gt", .greaterThan), ("lte", .lessThanOrEqual), ("lt", .lessThan), ("like", .like),
                ("ilike", .ilike), ("match", .match), ("imatch", .imatch))
        }
        let quantifier = tried { parser throws(Mismatch) -> Operation.Quantifier in
            try parser.character("(")
            let all = !parser.takes { parser throws(Mismatch) in try parser.string("any") }
            if all { try parser.string("all") }
            try parser.character(")")
            return all ? .all : .any
        }
        try delimiter()
        return .quantified(comparison, quantifier, try value(rule))
    }

    // MARK: - Values

    private mutating func value(_ rule: OperandRule) throws(Mismatch) -> Operand {
        switch rule {
        case .cutOff(let slot): return .slot(index: slot, dropping: position)
        case .rest(let slot):
            let start = position
            characters { _ in true }
            return .slot(index: slot, dropping: start)
        case .insideLogic:
            if let quoted = tried({ parser throws(Mismatch) in try parser.quotedElement() }) {
                return .literal(quoted)
            }
            if let array = tried({ parser throws(Mismatch) in try parser.flatArray() }) {
                return .literal(array)
            }
            return .literal(characters { $0 != "," && $0 != ")" })
        }
    }

    /// A quoted value with nothing behind it but the next element or the end.
    private mutating func quotedElement() throws(Mismatch) -> String {
        let text = try quoted()
        try endOfElement()
        return text
    }

    /// `{1,2}`: commas inside do not end it.
    private mutating func flatArray() throws(Mismatch) -> String {
        let start = position
        try string("{")
        characters { $0 != "{" && $0 != "}" }
        try string("}")
        return text(from: start)
    }

    /// `(a,"b,c",d)`
    private mutating func list() throws(Mismatch) {
        try lexeme("(")
        _ = try separated(
            by: { parser throws(Mismatch) in try parser.character(",") },
            { parser throws(Mismatch) in
                if parser.tried({ parser throws(Mismatch) in try parser.quotedElement() }) == nil {
                    parser.characters { $0 != "," && $0 != ")" }
                }
            })
        try lexeme(")")
    }

    // MARK: - Words

    /// A word with its dot, or nothing.
    private mutating func keyword(_ word: StaticString) -> Bool {
        takes { parser throws(Mismatch) in
            try parser.string(word)
            try parser.delimiter()
        }
    }

    private mutating func choice<Value>(_ choices: (StaticString, Value)...) throws(Mismatch) -> Value {
        for (word, value) in choices {
            if takes({ parser throws(Mismatch) in try parser.string(word) }) { return value }
        }
        throw Mismatch()
    }

    private mutating func caseInsensitive(_ word: String) throws(Mismatch) {
        for letter in word.unicodeScalars {
            _ = try either(
                { parser throws(Mismatch) in try parser.character(letter) },
                { parser throws(Mismatch) in
                    try parser.character(letter.properties.uppercaseMapping.unicodeScalars.first ?? letter)
                })
        }
    }
}
