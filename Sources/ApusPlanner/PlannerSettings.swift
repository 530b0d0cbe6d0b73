/// The settings that the planner depends on, by the names of the configuration.
package struct PlannerSettings: Sendable, Hashable {
    /// `db-schemas`, first one the default.
    package var schemas: [String]
    /// `db-max-rows`
    package var maxRows: Int?
    /// `db-aggregates-enabled`
    package var aggregatesEnabled: Bool
    /// `db-plan-enabled`
    package var planEnabled: Bool
    /// `url-use-legacy-target-names`
    package var usesLegacyTargetNames: Bool

    package init(
        schemas: [String] = ["public"], maxRows: Int? = nil, aggregatesEnabled: Bool = false,
        planEnabled: Bool = false, usesLegacyTargetNames: Bool = true
    ) {
        self.schemas = schemas
        self.maxRows = maxRows
        self.aggregatesEnabled = aggregatesEnabled
        self.planEnabled = planEnabled
        self.usesLegacyTargetNames = usesLegacyTargetNames
    }
}
