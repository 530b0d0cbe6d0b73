package import ApusCatalog
package import ApusFaults

/// Why an intent cannot become a plan. ``fault`` has the words of the dialect for it.
package enum PlanFault: Error, Sendable, Equatable {
    /// `name` is no relation that the schema exposes; `suggestion` is one that is.
    case relationNotFound(QualifiedName, suggestion: String?)
    case columnNotFound(relation: String, column: String)
    case relationshipNotFound(MissingRelationship)
    /// More than one relationship leads from `parent` to `child`.
    case relationshipAmbiguous(parent: String, child: String, [Relationship])
    case functionNotFound(MissingFunction)
    /// More than one overload takes the arguments.
    case functionAmbiguous([Function])
    /// A filter, an order or a limit names a level that `select` does not embed; `written` when it would have
    /// been found by the name of its target, which is not allowed for a level with an alias.
    case notEmbedded(String, written: LegacyName?)
    case relatedOrderNotToOne(origin: String, target: String)
    case aggregatesNotAllowed
    case toManySpreadAggregate
    /// A `PUT` whose filters are not exactly the primary key with `eq`.
    case filtersAreNotTheKey
    /// An update or delete with `limit` or `offset`, and without an order by its own columns or a primary key.
    case limitWithoutOrder
    case noAcceptableMediaType([MediaType])
    /// Under `handling=strict`.
    case invalidPreferences([String])
    /// `max-affected` on a function that returns one value.
    case maxAffectedNeedsSet

    /// A level that was named as its target is, although it has an alias.
    package struct LegacyName: Sendable, Equatable {
        package var name: String
        package var alias: String

        package init(name: String, alias: String) {
            self.name = name
            self.alias = alias
        }
    }

    /// An embedded name that leads nowhere.
    package struct MissingRelationship: Sendable, Equatable {
        package var parent: String
        package var child: String
        /// The `!hint` of the client.
        package var hint: String?
        package var schema: String
        /// A sentence that names a better parent or child.
        package var suggestion: String?

        package init(parent: String, child: String, hint: String?, schema: String, suggestion: String?) {
            self.parent = parent
            self.child = child
            self.hint = hint
            self.schema = schema
            self.suggestion = suggestion
        }
    }

    /// A function that was called in a way that no overload takes.
    package struct MissingFunction: Sendable, Equatable {
        package var name: QualifiedName
        /// Names of the arguments, in the order of their bytes.
        package var arguments: [String]
        /// What a body of this type may be handed to: the type of a single unnamed parameter.
        package var unnamedParameter: UnnamedParameter?
        /// The name, or the name and parameters, of a better function.
        package var suggestion: String?

        package init(
            name: QualifiedName, arguments: [String], unnamedParameter: UnnamedParameter?,
            suggestion: String?
        ) {
            self.name = name
            self.arguments = arguments
            self.unnamedParameter = unnamedParameter
            self.suggestion = suggestion
        }
    }
}

// MARK: - The dialect's words

extension PlanFault {
    /// The fault that a client sees. Codes `PGRST1xx` are about the request, `PGRST2xx` about names that the
    /// catalog does not have. Retired: `PGRST120` (operators other than `is.null` on an embedded relation).
    package var fault: Fault {
        switch self {
        case .relationNotFound(let name, let suggestion):
            Fault(
                code: "PGRST205", kind: .notFound,
                message: "Could not find the table '\(name)' in the schema cache",
                hint: suggestion.map { "Perhaps you meant the table '\(name.schema).\($0)'" })
        case .columnNotFound(let relation, let column):
            Fault(
                code: "PGRST204", kind: .invalid,
                message: "Could not find the '\(column)' column of '\(relation)' in the schema cache")
        case .relationshipNotFound(let missing): missing.fault
        case .relationshipAmbiguous(let parent, let child, let candidates):
            Self.ambiguous(parent: parent, child: child, candidates)
        case .functionNotFound(let missing): missing.fault
        case .functionAmbiguous(let candidates): Self.ambiguous(candidates)
        case .notEmbedded(let name, let written): Self.notEmbedded(name, written)
        case .relatedOrderNotToOne(let origin, let target):
            Fault(
                code: "PGRST118", kind: .invalid,
                message: "A related order on '\(target)' is not possible",
                details: "'\(origin)' and '\(target)' do not form a many-to-one or one-to-one relationship")
        case .aggregatesNotAllowed:
            Fault(
                code: "PGRST123", kind: .invalid, message: "Use of aggregate functions is not allowed")
        case .toManySpreadAggregate:
            Fault(
                code: "PGRST127", kind: .status(400), message: "Feature not implemented",
                details: "Aggregates are not implemented for one-to-many or many-to-many spreads.")
        case .filtersAreNotTheKey:
            Fault(
                code: "PGRST105", kind: .status(405),
                message: "Filters must include all and only primary key columns with 'eq' operators")
        case .limitWithoutOrder:
            Fault(
                code: "PGRST109", kind: .invalid,
                message: "A 'limit' was applied without an explicit 'order'",
                details:
                    "A limited update or delete needs an order by columns of a relation with a primary key.",
                hint: "Apply an 'order' using unique column(s)")
        case .noAcceptableMediaType(let accepted):
            Fault(
                code: "PGRST107", kind: .notAcceptable,
                message: "None of these media types are available: "
                    + accepted.map(\.text).joined(separator: ", "))
        case .invalidPreferences(let unknown):
            Fault(
                code: "PGRST122", kind: .invalid,
                message: "Invalid preferences given with handling=strict",
                details: "Invalid preferences: " + unknown.joined(separator: ", "))
        case .maxAffectedNeedsSet:
            Fault(
                code: "PGRST128", kind: .invalid,
                message: "Function must return SETOF or TABLE when max-affected preference is used with "
                    + "handling=strict")
        }
    }

    private static func notEmbedded(_ name: String, _ written: LegacyName?) -> Fault {
        Fault(
            code: "PGRST108", kind: .invalid,
            message: "'\(name)' is not an embedded resource in this request",
            details: written.map { _ in "Target names are not allowed in filters if they have an alias" },
            hint: written.map { "Change '\($0.name)' to '\($0.alias)' in filters, orders or limits." }
                ?? "Verify that '\(name)' is included in the 'select' query parameter.")
    }
}
