package import ApusCatalog

/// What a client asked for, in the words of its contract, before anything was looked up.
///
/// REST, GraphQL, gRPC and subscriptions all make the same intent. It describes the *shape* of a request: the
/// values of filters and arguments, and the body, travel beside it (see ``Operand``), so an intent, and all
/// that is planned from it, can be kept and used again for a request of the same shape.
package struct Intent: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        case read
        case insert
        /// One row by its primary key (`PUT`).
        case upsertOne
        case update
        case delete
        /// A function call; `isReadOnly` when the method promises not to change anything (GET, HEAD).
        case call(isReadOnly: Bool)
    }

    /// Something that belongs to the top level or, by a path of embedded names, to a level below.
    package struct Placed<Value: Sendable & Hashable>: Sendable, Hashable {
        /// Names of embedded relations from the top down; empty for the top level.
        package var path: [String]
        package var value: Value

        package init(path: [String] = [], _ value: Value) {
            self.path = path
            self.value = value
        }
    }

    /// An argument of a call by query string; names may repeat for a variadic parameter.
    package struct Argument: Sendable, Hashable {
        package var name: String
        package var value: Operand

        package init(name: String, value: Operand) {
            self.name = name
            self.value = value
        }
    }

    /// What the body is, without its bytes.
    package enum Payload: Sendable, Hashable {
        /// JSON whose objects all have these keys (in a stable order).
        case json(keys: [String])
        /// JSON that nobody looked into, because `columns` names the keys.
        case uninspectedJSON
        /// A form: the arguments of a call.
        case form([Argument])
        /// Bytes for a function with one unnamed parameter.
        case raw
    }

    package var action: Action
    /// HEAD: everything but the body.
    package var wantsBody: Bool
    package var target: QualifiedName
    /// Whether the schema was named by the client, or could have been (more than one is exposed).
    package var schemaWasNegotiated: Bool
    package var select: [SelectItem]
    package var filters: [Placed<Filter>]
    package var logic: [Placed<LogicTree>]
    package var order: [Placed<[OrderTerm]>]
    /// Limits and offsets of embedded levels.
    package var embeddedRanges: [Placed<RowRange>]
    /// Limit, offset and the `Range` header of the top level, intersected.
    package var range: RowRange
    /// `columns`, in the order given, without repetitions; nil when absent.
    package var columns: [String]?
    /// `on_conflict`; nil when absent.
    package var onConflict: [String]?
    package var arguments: [Argument]
    package var payload: Payload?
    package var preferences: Preferences
    /// Acceptable media types, best first.
    package var accept: [MediaType]
    package var contentType: MediaType

    package init(
        action: Action, target: QualifiedName, wantsBody: Bool = true, schemaWasNegotiated: Bool = false,
        select: [SelectItem] = [.field(.init(field: .init(name: "*")))], filters: [Placed<Filter>] = [],
        logic: [Placed<LogicTree>] = [], order: [Placed<[OrderTerm]>] = [],
        embeddedRanges: [Placed<RowRange>] = [], range: RowRange = .all, columns: [String]? = nil,
        onConflict: [String]? = nil, arguments: [Argument] = [], payload: Payload? = nil,
        preferences: Preferences = .init(), accept: [MediaType] = [.any], contentType: MediaType = .json
    ) {
        self.action = action
        self.target = target
        self.wantsBody = wantsBody
        self.schemaWasNegotiated = schemaWasNegotiated
        self.select = select
        self.filters = filters
        self.logic = logic
        self.order = order
        self.embeddedRanges = embeddedRanges
        self.range = range
        self.columns = columns
        self.onConflict = onConflict
        self.arguments = arguments
        self.payload = payload
        self.preferences = preferences
        self.accept = accept
        self.contentType = contentType
    }
}

/// Where a value comes from when the statement runs.
package enum Operand: Sendable, Hashable {
    /// The `index`-th value that the request carries beside its shape, without its first `dropping` bytes
    /// (an operator such as `eq.` that is part of the shape).
    case slot(index: Int, dropping: Int)
    /// A value that is part of the shape, because it stands in the middle of a structure (`or=(a.eq.1,…)`).
    /// It still travels as a bind.
    case literal(String)
}

/// Rows `offset ..< offset + limit`.
package struct RowRange: Sendable, Hashable {
    package var offset: Int
    /// nil: to the end.
    package var limit: Int?

    package init(offset: Int = 0, limit: Int? = nil) {
        self.offset = offset
        self.limit = limit
    }

    package static let all = RowRange()
}
