import ApusCatalog

/// Functions with their overloads.
enum FunctionFold {
    /// Types of a single unnamed parameter that can take a request's body as it is.
    private static let bodyTypes: Set = ["bytea", "json", "jsonb", "text", "xml"]

    /// - Parameter hoisting: names of settings that a function raises to the transaction.
    static func functions(
        of rows: CatalogRows, hoisting: [String]
    ) -> [QualifiedName: [Function]] {
        let parameters = Dictionary(grouping: rows.parameters, by: \.function)
        let hoisted = Set(hoisting.map { $0.lowercased() })
        let callable = rows.functions.compactMap { row -> Function? in
            let own = (parameters[row.oid] ?? []).map(\.parameter)
            return isCallable(own) ? function(row, parameters: own, hoisting: hoisted) : nil
        }
        return Dictionary(grouping: callable, by: \.name).mapValues { $0.sorted(by: precedes) }
    }

    /// Arguments are passed by name, so every parameter needs one; a single one without takes the body.
    private static func isCallable(_ parameters: [Function.Parameter]) -> Bool {
        if let only = parameters.first, parameters.count == 1, only.name.isEmpty {
            return bodyTypes.contains(only.type)
        }
        return parameters.allSatisfy { !$0.name.isEmpty }
    }

    private static func function(
        _ row: FunctionRow, parameters: [Function.Parameter], hoisting: Set<String>
    ) -> Function {
        let settings = row.configuration.compactMap { clause -> Function.Setting? in
            guard let equals = clause.firstIndex(of: "=") else { return nil }
            return Function.Setting(
                name: String(clause[..<equals]), value: String(clause[clause.index(after: equals)...]))
        }
        return Function(
            name: row.name, oid: row.oid, comment: row.comment, parameters: parameters, result: row.result,
            volatility: row.volatility, hasVariadic: row.hasVariadic,
            isolationLevel: settings.first { $0.name == IsolationLevel.setting }
                .map { IsolationLevel.named($0.value) },
            settings: settings.filter { hoisting.contains($0.name.lowercased()) })
    }

    /// Fewest parameters first; among equals, an order that is the same for the same database.
    private static func precedes(_ left: Function, _ right: Function) -> Bool {
        if left.parameters.count != right.parameters.count {
            return left.parameters.count < right.parameters.count
        }
        if left.comment != right.comment {
            guard let first = left.comment, let second = right.comment else { return left.comment == nil }
            return first < second
        }
        return left.parameters.flatMap { [$0.name, $0.type] }
            .lexicographicallyPrecedes(right.parameters.flatMap { [$0.name, $0.type] })
    }
}
