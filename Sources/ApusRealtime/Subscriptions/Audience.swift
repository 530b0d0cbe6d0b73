import ApusPostgres

/// Everybody who sees the same rows of one table: one role with the same claims, as far as its policies read them.
///
/// Sendable: ``RowSubscriptions``, an actor, is the only one that touches what changes.
final class Audience: @unchecked Sendable {
    struct Key: Hashable {
        var table: UInt32
        var role: String
        var claims: [UInt8]
    }

    /// How it is decided whether a row is seen.
    enum Binding {
        case everybody
        case nobody
        /// In the process.
        case predicate(Predicate, [ParameterValue])
        /// By PostgreSQL, with this condition.
        case check(String)
    }

    let table: TableAccess
    let access: RoleAccess
    let principal: Principal
    /// Tables whose changes may change the binding's parameters.
    var sources: Set<UInt32> = []
    var binding: Binding

    init(table: TableAccess, access: RoleAccess, principal: Principal, binding: Binding) {
        self.table = table
        self.access = access
        self.principal = principal
        self.binding = binding
    }
}

extension RoleAccess {
    /// Claims of a caller that decide about rows.
    func claims(_ table: TableAccess) -> ClaimsUse {
        if !table.hasRowSecurity || bypassesPolicies { return .named([]) }
        return policies.map { table.policies[$0].claims }.reduce(.named([])) { $0.union($1) }
    }

    /// The condition that PostgreSQL puts on every row that the role reads: one permissive policy and all restrictive
    /// ones (PostgreSQL, CREATE POLICY, "Application of Multiple Policies"). nil when nothing can be read.
    func condition(_ table: TableAccess) -> String? {
        let applying = policies.map { table.policies[$0] }.filter { $0.expression != nil }
        let permissive = applying.filter(\.isPermissive).compactMap(\.expression)
        guard !permissive.isEmpty else { return nil }
        let all =
            ["(" + permissive.map { "(\($0))" }.joined(separator: " OR ") + ")"]
            + applying.filter { !$0.isPermissive }.compactMap(\.expression).map { "(\($0))" }
        return all.joined(separator: " AND ")
    }
}
