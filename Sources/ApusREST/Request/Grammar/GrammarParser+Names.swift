import ApusPlanner

/// Names of columns and relations, and paths into JSON.
extension GrammarParser {
    /// A name: quoted, or letters, digits and `_ $` with single dashes between them. Blanks around it go.
    mutating func fieldName() throws(Mismatch) -> String {
        try named("field name (* or [a..z0..9_$])") { parser throws(Mismatch) in
            try parser.either(
                { parser throws(Mismatch) in try parser.quoted() },
                { parser throws(Mismatch) in
                    try parser.dashed { parser throws(Mismatch) in try parser.identifier() }
                })
        }
    }

    /// A name, possibly with a path into it, blanks around both.
    mutating func field() throws(Mismatch) -> Field {
        skipBlanks()
        let name = try fieldName()
        let path = try jsonPath()
        skipBlanks()
        return Field(name: name, path: path)
    }

    mutating func identifier() throws(Mismatch) -> String {
        let text = characters("letter", "digit") {
            $0.isLetter || $0.isDigit || $0 == "_" || $0 == " " || $0 == "$"
        }
        guard !text.isEmpty else { throw Mismatch() }
        return text.trimmed
    }

    /// `"…"` with backslash escapes.
    mutating func quoted() throws(Mismatch) -> String {
        try character("\"")
        var content = String.UnicodeScalarView()
        while true {
            content.append(
                contentsOf: characters { $0 != "\\" && $0 != "\"" }.unicodeScalars)
            let escape = try optional { parser throws(Mismatch) in try parser.character("\\") }
            guard escape != nil else { break }
            content.append(try character { _ in true })
        }
        try character("\"")
        return String(content)
    }

    /// `->key`, `->>key`, `->1`, as often as they come, within a limit: PostgreSQL nests an expression for each.
    mutating func jsonPath() throws(Mismatch) -> [JSONStep] {
        var steps = 0
        return try many { parser throws(Mismatch) in
            steps += 1
            try parser.countStep(steps)
            let asText = parser.takes { parser throws(Mismatch) in try parser.string("->>") }
            if !asText {
                try parser.attempt { parser throws(Mismatch) in try parser.string("->") }
            }
            return JSONStep(try parser.jsonOperand(), asText: asText)
        }
    }

    mutating func delimiter() throws(Mismatch) {
        try character("delimiter (.)") { $0 == "." }
    }

    mutating func comma() throws(Mismatch) {
        try lexeme(",")
    }

    /// One character with blanks around it.
    mutating func lexeme(_ expected: Unicode.Scalar) throws(Mismatch) {
        skipBlanks()
        try character(expected)
        skipBlanks()
    }

    mutating func skipBlanks() {
        characters { $0 == " " || $0 == "\t" }
    }

    // MARK: - Non public

    /// Parts with a dash between them that does not begin an arrow.
    private mutating func dashed(
        _ part: (inout GrammarParser) throws(Mismatch) -> String
    ) throws(Mismatch) -> String {
        let dash = { (parser: inout GrammarParser) throws(Mismatch) in
            try parser.attempt { parser throws(Mismatch) in
                try parser.character("-")
                try parser.notFollowed(by: ">")
            }
        }
        return try separated(by: dash, part).joined(separator: "-")
    }

    private mutating func jsonOperand() throws(Mismatch) -> JSONStep.Operand {
        try either(
            { parser throws(Mismatch) in
                try parser.attempt { parser throws(Mismatch) in .index(try parser.jsonIndex()) }
            },
            { parser throws(Mismatch) in
                try parser.attempt { parser throws(Mismatch) in .key(try parser.jsonKey()) }
            })
    }

    private mutating func jsonIndex() throws(Mismatch) -> String {
        let start = position
        _ = try optional { parser throws(Mismatch) in try parser.character("-") }
        guard !characters("digit", where: { $0.isDigit }).isEmpty else { throw Mismatch() }
        let index = text(from: start)
        let followers: [StaticString] = ["->", "::", ".", ","]
        for follower in followers where isAhead(follower) { return index }
        try attempt { parser throws(Mismatch) in try parser.end() }
        return index
    }

    private mutating func jsonKey() throws(Mismatch) -> String {
        try named("any non reserved character different from: .,>()") { parser throws(Mismatch) in
            try parser.either(
                { parser throws(Mismatch) in try parser.quoted() },
                { parser throws(Mismatch) in
                    try parser.dashed { parser throws(Mismatch) in
                        let text = parser.characters { $0.isJSONKeyCharacter }
                        guard !text.isEmpty else { throw Mismatch() }
                        return text.trimmed
                    }
                })
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool {
        if isASCII { return "a"..."z" ~= self || "A"..."Z" ~= self }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    fileprivate var isDigit: Bool { "0"..."9" ~= self }

    fileprivate var isJSONKeyCharacter: Bool {
        switch self {
        case "(", "-", ":", ".", ",", ">", ")": false
        default: true
        }
    }
}

extension String {
    /// Without white space at its ends.
    fileprivate var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
