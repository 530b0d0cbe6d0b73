/// The settings that reading a request depends on, by the names of the configuration.
package struct RESTSettings: Sendable, Hashable {
    /// How much structure one request may hold. Values are bounded by the size of URL and body alone.
    package struct Limits: Sendable, Hashable {
        /// Parameters of a query string, or fields of a form.
        package var parameters: Int
        /// How deep `select` may embed, and how deep `and`/`or` may nest.
        package var depth: Int
        /// Items of `select`, `order`, `columns` and conditions of `and`/`or`, in all.
        package var items: Int
        /// How deep JSON may nest.
        package var jsonDepth: Int

        package init(parameters: Int = 1_000, depth: Int = 20, items: Int = 2_000, jsonDepth: Int = 512) {
            self.parameters = parameters
            self.depth = depth
            self.items = items
            self.jsonDepth = jsonDepth
        }
    }

    /// `db-schemas`: the exposed schemas, the first one the default.
    package var schemas: [String]
    /// `db-tx-end` with `-allow-override`: whether `Prefer: tx=` counts.
    package var allowsTransactionOverride: Bool
    /// `openapi-mode` other than `disabled`.
    package var describesRoot: Bool
    /// `db-root-spec`: a function of the default schema that answers for the root.
    package var rootFunction: String?
    package var limits: Limits

    package init(
        schemas: [String] = ["public"], allowsTransactionOverride: Bool = false, describesRoot: Bool = true,
        rootFunction: String? = nil, limits: Limits = Limits()
    ) {
        self.schemas = schemas
        self.allowsTransactionOverride = allowsTransactionOverride
        self.describesRoot = describesRoot
        self.rootFunction = rootFunction
        self.limits = limits
    }
}
