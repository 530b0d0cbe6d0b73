/// What of the database the catalog shows, by the names of the configuration.
package struct CatalogSettings: Sendable, Hashable {
    /// `db-hoisted-tx-settings` when nobody says otherwise.
    package static let defaultHoistedSettings = [
        "statement_timeout", "plan_filter.statement_cost_limit", "default_transaction_isolation",
    ]

    /// `db-schemas`: the schemas that clients see.
    package var schemas: [String]
    /// `db-extra-search-path`: schemas whose views are looked through, without being shown.
    package var extraSearchPath: [String]
    /// `db-hoisted-tx-settings`: settings of a function that are raised to the transaction that calls it.
    package var hoistedSettings: [String]
    /// `db-tz-enabled`: whether `Prefer: timezone` is served. Reading the names costs the server some
    /// tens of milliseconds, for it walks through a folder of files.
    package var readsTimezones: Bool
    /// `db-channel`: where `NOTIFY` asks for a reload. nil when `db-channel-enabled` is off, for a pooler that
    /// cannot carry `LISTEN`, say; then the event trigger is not heard either.
    package var channel: String?

    package init(
        schemas: [String] = ["public"], extraSearchPath: [String] = ["public"],
        hoistedSettings: [String] = defaultHoistedSettings, readsTimezones: Bool = true,
        channel: String? = "pgrst"
    ) {
        self.schemas = schemas
        self.extraSearchPath = extraSearchPath
        self.hoistedSettings = hoistedSettings
        self.readsTimezones = readsTimezones
        self.channel = channel
    }
}
