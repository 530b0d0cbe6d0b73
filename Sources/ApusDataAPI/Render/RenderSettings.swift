/// What the texts of statements depend on besides the plan.
package struct RenderSettings: Sendable, Hashable {
    /// How the value of an embedded relation is made.
    package enum EmbedFormat: Sendable, Hashable {
        /// As `jsonb`: keys sorted, spaces after colons and commas; the dialect's bytes.
        case jsonb
        /// As `json`: keys as selected, no normalization; a fifth to a third less work for the database.
        case json
    }

    /// Whether a plain read tells `response.headers` and `response.status`. Only code that runs with it (a
    /// pre-request function, a view's or a policy's function) can have set them.
    package var readsSettingsAfterReads: Bool
    /// The same for inserts, updates and deletes; triggers can set them.
    package var readsSettingsAfterWrites: Bool
    /// The same for calls.
    package var readsSettingsAfterCalls: Bool
    package var embedFormat: EmbedFormat

    package init(
        readsSettingsAfterReads: Bool = true, readsSettingsAfterWrites: Bool = true,
        readsSettingsAfterCalls: Bool = true, embedFormat: EmbedFormat = .jsonb
    ) {
        self.readsSettingsAfterReads = readsSettingsAfterReads
        self.readsSettingsAfterWrites = readsSettingsAfterWrites
        self.readsSettingsAfterCalls = readsSettingsAfterCalls
        self.embedFormat = embedFormat
    }
}
