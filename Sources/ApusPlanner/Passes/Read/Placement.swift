/// Finds a level by the names that a client put before a filter, an order or a limit.
struct Placement {
    /// Whether a level that has an alias is found by the name of its target, too.
    private let usesTargetNames: Bool

    init(_ settings: PlannerSettings) {
        usesTargetNames = settings.usesLegacyTargetNames
    }

    /// Changes the level that `path` leads to from `level` on.
    ///
    /// - Throws: `notEmbedded` for the first name that leads nowhere.
    func update(
        _ level: inout ReadPlan, at path: some Collection<String>, _ change: (inout ReadPlan) -> Void
    ) throws(PlanFault) {
        guard let name = path.first else {
            change(&level)
            return
        }
        guard let index = level.children.firstIndex(where: { matches($0, name) }) else {
            throw .notEmbedded(name, written: legacyName(name, in: level))
        }
        if level.children[index].isMeantByTargetName(name) {
            level.children[index].isLegacyTargetNameMatch = true
        }
        try update(&level.children[index], at: Array(path.dropFirst()), change)
    }

    private func matches(_ level: ReadPlan, _ name: String) -> Bool {
        level.shownName == name || (usesTargetNames && level.name == name)
    }

    /// The level that would be found if target names counted.
    private func legacyName(_ name: String, in level: ReadPlan) -> PlanFault.LegacyName? {
        guard !usesTargetNames,
            let alias = level.children.first(where: { $0.isMeantByTargetName(name) })?.alias
        else { return nil }
        return PlanFault.LegacyName(name: name, alias: alias)
    }
}

extension ReadPlan {
    /// The name under which the level appears in the answer.
    var shownName: String { alias ?? name }

    fileprivate func isMeantByTargetName(_ name: String) -> Bool {
        self.name == name && alias != nil && alias != name
    }
}
