/// `db-max-cost`: what the statement of a request may cost by PostgreSQL's estimate, for each role.
package struct CostLimits: Sendable, Equatable {
    /// For roles that are not named; nil: no limit.
    package var general: Double?
    package var byRole: [String: Double]

    package init(general: Double? = nil, byRole: [String: Double] = [:]) {
        self.general = general
        self.byRole = byRole
    }

    /// Reads `anon=10000`, `authenticated=100000` and, for all others, `50000`. nil when an item is none of these.
    package init?(_ items: [String]) {
        self.init()
        for item in items {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            guard let last = parts.last, let cost = Double(last), cost.isFinite, cost >= 0 else { return nil }
            if parts.count == 1 {
                general = cost
            } else {
                // A role's name may hold an equals sign.
                byRole[parts.dropLast().joined(separator: "=")] = cost
            }
        }
    }

    package var isEmpty: Bool { general == nil && byRole.isEmpty }

    /// What a statement of this role may cost; nil: anything.
    package func limit(for role: String) -> Double? { byRole[role] ?? general }
}
