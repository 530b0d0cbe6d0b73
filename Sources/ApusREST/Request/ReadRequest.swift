package import ApusCatalog
package import ApusPlanner

/// A request, understood: what it asks and the values it asks with.
package struct ReadRequest: Sendable {
    /// What the client wants.
    package enum Ask: Sendable, Hashable {
        case data(Intent)
        /// `OPTIONS` of a relation.
        case describeRelation(QualifiedName)
        /// `OPTIONS` of a function; the intent is the call by GET with the same parameters.
        case describeFunction(Intent)
        /// `OPTIONS` of the root.
        case describeRoot
        case document(Document)
    }

    /// A description of a schema.
    package struct Document: Sendable, Hashable {
        /// Which of the two descriptions.
        package enum Format: Sendable, Hashable {
            /// Swagger 2.0, the dialect's, at its root.
            case swagger
            /// OpenAPI 3.1, at `openapi.json`.
            case openAPI
        }

        package var format: Format
        package var schema: String
        package var schemaWasNegotiated: Bool
        package var wantsBody: Bool
        /// Acceptable media types, best first.
        package var accept: [MediaType]
        package var preferences: Preferences
    }

    package var ask: Ask
    /// The values that the intent's operands name, and the payload for the database.
    package var shape: RequestShape
}
