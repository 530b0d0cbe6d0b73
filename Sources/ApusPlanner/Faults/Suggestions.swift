import ApusCatalog

/// Names to put in place of a wrong one. Only exposed names are candidates, and a name that is not shown
/// anywhere else must be very close before it is told.
struct Suggestions {
    /// From so many names on none is suggested: comparing them would cost more than the request.
    private static let candidateLimit = 500
    /// Least similarity of a name of a relation or function.
    private static let confidentialScore = 0.75

    var catalog: Catalog

    /// A relation of the same schema.
    func relation(for name: QualifiedName) -> String? {
        closest(to: name, among: catalog.relations.keys)
    }

    /// A function of the same schema, or the parameters of an overload.
    func function(for name: QualifiedName, arguments: [String], overloads: [Function]) -> String? {
        guard !overloads.isEmpty else { return closest(to: name, among: catalog.functions.keys) }
        func list(_ names: [String]) -> String {
            "(" + names.sortedByBytes().joined(separator: ", ") + ")"
        }
        return ClosestName(among: overloads.map { list($0.parameters.map(\.name)) })
            .best(for: list(arguments)).map { name.name + $0 }
    }

    /// A sentence with a better child; nil when the child is right, since then the hint is wrong. No other parent is
    /// suggested: this one exists, and that it has no relationships does not make another the one that was meant.
    func relationship(parent: QualifiedName, child: String) -> String? {
        let children = (catalog.relationships[parent] ?? []).filter { $0.target.schema == parent.schema }
        return ClosestName(among: children.map(\.target.name)).matches(for: child)
            .first { $0.score < 1 }
            .map { "Perhaps you meant '\($0.name)' instead of '\(child)'." }
    }

    private func closest(to name: QualifiedName, among names: some Sequence<QualifiedName>) -> String? {
        let siblings = names.filter { $0.schema == name.schema }
        guard siblings.count < Self.candidateLimit else { return nil }
        return ClosestName(among: siblings.map(\.name))
            .best(for: name.name, minimum: Self.confidentialScore)
    }
}
