import ApusCatalog
import ApusFaults

extension PlanFault.MissingFunction {
    /// What a body that is not a set of named arguments could have been handed to.
    package enum UnnamedParameter: String, Sendable, Equatable {
        case text
        case xml
        case bytea
        /// JSON can be either: named arguments, or the value of one parameter.
        case json = "json/jsonb"

        /// Whether the body can be nothing else.
        var standsAlone: Bool { self != .json }
    }

    /// `PGRST202`
    var fault: Fault {
        let list = arguments.joined(separator: ", ")
        let asksForBodyOnly = unnamedParameter?.standsAlone == true
        let signature = asksForBodyOnly ? "" : arguments.isEmpty ? " without parameters" : "(\(list))"
        return Fault(
            code: "PGRST202", kind: .notFound,
            message: "Could not find the function \(name)\(signature) in the schema cache",
            details: "Searched for the function \(name)\(searched(list)), "
                + "but no matches were found in the schema cache.",
            hint: asksForBodyOnly
                ? nil : suggestion.map { "Perhaps you meant to call the function \(name.schema).\($0)" })
    }

    private func searched(_ list: String) -> String {
        if let unnamedParameter, unnamedParameter.standsAlone {
            return " with a single unnamed \(unnamedParameter.rawValue) parameter"
        }
        let named =
            arguments.isEmpty
            ? " without parameters" : " with parameter\(arguments.count > 1 ? "s" : "") \(list)"
        return unnamedParameter == nil
            ? named : named + " or with a single unnamed json/jsonb parameter"
    }
}

extension PlanFault {
    /// `PGRST203`
    static func ambiguous(_ candidates: [Function]) -> Fault {
        let signatures = candidates.sorted { $0.precedes($1) }.map { function in
            let parameters = function.parameters.map { "\($0.name) => \($0.type)" }
            return "\(function.name)(\(parameters.joined(separator: ", ")))"
        }
        return Fault(
            code: "PGRST203", kind: .status(300),
            message: "Could not choose the best candidate function between: "
                + signatures.joined(separator: ", "),
            hint: "Try renaming the parameters or the function itself in the database so function "
                + "overloading can be resolved")
    }
}

extension Function {
    /// Fewest parameters first, then by their names and types.
    fileprivate func precedes(_ other: Function) -> Bool {
        guard parameters.count == other.parameters.count else {
            return parameters.count < other.parameters.count
        }
        let (left, right) = (
            parameters.flatMap { [$0.name, $0.type] }, other.parameters.flatMap { [$0.name, $0.type] }
        )
        return left.lexicographicallyPrecedes(right) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
