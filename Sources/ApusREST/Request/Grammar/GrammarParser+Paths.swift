import ApusPlanner

/// Names of parameters, `clients.projects.name`, and lists of names.
extension GrammarParser {
    /// Embedded names, then a field.
    mutating func treePath() throws(Mismatch) -> (path: [String], field: Field) {
        var names = try pathNames()
        let name = names.removeLast()
        return (names, Field(name: name, path: try jsonPath()))
    }

    /// Embedded names, then `and` or `or`; `not` anywhere before it negates.
    mutating func logicPath() throws(Mismatch) -> (path: [String], connective: String) {
        var names = try pathNames()
        let isNegated = names.contains("not")
        let connective = names.removeLast()
        names.removeAll { $0 == "not" }
        return (names, isNegated ? "not." + connective : connective)
    }

    /// Names between commas, each once.
    mutating func columns() throws(Mismatch) -> [String] {
        var seen: Set<String> = []
        let names = try separated(
            by: { parser throws(Mismatch) in try parser.comma() },
            { parser throws(Mismatch) in
                try parser.countItem()
                return try parser.fieldName()
            })
        return names.filter { seen.insert($0).inserted }
    }

    /// At least one name.
    private mutating func pathNames() throws(Mismatch) -> [String] {
        try separated(
            by: { parser throws(Mismatch) in try parser.delimiter() },
            { parser throws(Mismatch) in try parser.fieldName() })
    }
}
