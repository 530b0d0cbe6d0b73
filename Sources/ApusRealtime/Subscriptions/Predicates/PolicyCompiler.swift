/// The policies of a table for one role, as far as the process can decide them.
struct CompiledPolicies: Sendable {
    /// A value that PostgreSQL computes once for a caller.
    struct Parameter: Sendable, Hashable {
        /// An expression without columns; for a set, a query's array.
        var expression: String
        /// What kind of value it must turn out to be; otherwise PostgreSQL decides about rows as well.
        var kind: ScalarKind
        var isArray: Bool
        /// For an enum: the type's object id.
        var enumTypeOID: UInt32?
    }

    var predicate: Predicate
    var parameters: [Parameter]
    /// Tables that the parameters read.
    var sources: Set<UInt32>
}

/// Turns policies' expressions into predicates.
enum PolicyCompiler {
    /// nil when PostgreSQL has to decide.
    static func compile(_ table: TableAccess, _ access: RoleAccess) -> CompiledPolicies? { nil }
}
