import ApusCatalog

/// Chooses the overload that takes the arguments, by their names: nobody knows the types of what a client
/// sends.
struct FunctionChoice {
    private let intent: Intent
    private let catalog: Catalog
    private let arguments: Set<String>
    private let sortedArguments: [String]
    private let overloads: [Function]
    private let takesBody: Bool

    init(_ intent: Intent, _ arguments: CallArguments, in catalog: Catalog) {
        self.intent = intent
        self.catalog = catalog
        sortedArguments = arguments.names
        self.arguments = Set(sortedArguments)
        overloads = catalog.functions[intent.target] ?? []
        takesBody = intent.action == .call(isReadOnly: false)
    }

    /// - Throws: `functionNotFound`, or `functionAmbiguous` when several overloads take the arguments.
    func function() throws(PlanFault) -> Function {
        var candidates = overloads.filter(matchesByName)
        // Only when no function has these parameters may the body be the value of one.
        if candidates.isEmpty { candidates = overloads.filter(takesTheBody) }
        guard let function = candidates.first else { throw .functionNotFound(missing) }
        guard candidates.count == 1 else { throw .functionAmbiguous(candidates) }
        return function
    }

    // MARK: - Non public

    private func matchesByName(_ function: Function) -> Bool {
        guard !function.parameters.isEmpty else {
            return arguments.isEmpty && bodyParameter?.standsAlone != true
        }
        let required = Set(function.parameters.filter(\.isRequired).map(\.name))
        let optional = Set(function.parameters.filter { !$0.isRequired }.map(\.name))
        return arguments.subtracting(optional) == required
    }

    private func takesTheBody(_ function: Function) -> Bool {
        guard function.parameters.count == 1, let parameter = function.parameters.first,
            parameter.name.isEmpty
        else { return false }
        return switch bodyParameter {
        case .json: parameter.type == "json" || parameter.type == "jsonb"
        case .text, .xml, .bytea: parameter.type == bodyParameter?.rawValue
        case nil: false
        }
    }

    /// What kind of parameter could take the body whole.
    private var bodyParameter: PlanFault.MissingFunction.UnnamedParameter? {
        guard takesBody else { return nil }
        return switch intent.contentType {
        case .json: .json
        case .plainText: .text
        case .xml: .xml
        case .octetStream: .bytea
        default: nil
        }
    }

    private var missing: PlanFault.MissingFunction {
        PlanFault.MissingFunction(
            name: intent.target, arguments: sortedArguments, unnamedParameter: bodyParameter,
            suggestion: Suggestions(catalog: catalog)
                .function(for: intent.target, arguments: sortedArguments, overloads: overloads))
    }
}
