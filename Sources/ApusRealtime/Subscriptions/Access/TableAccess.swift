import ApusPostgres

/// A table as far as one must know it to decide who may see its rows. Immutable; read anew when the schema changes.
package final class TableAccess: Sendable {
    package struct Column: Sendable, Hashable {
        package var name: String
        package var typeOID: UInt32
        /// The type below all domains.
        package var baseTypeOID: UInt32
        /// Element type of an array; 0 for other types.
        package var elementTypeOID: UInt32
        package var isEnum: Bool
        /// As a cast needs it, qualified, with modifier.
        package var typeName: String
        /// Whether its collation takes equal for equal bytes.
        package var isDeterministic: Bool

        /// How its values compare in the process; nil when that is left to PostgreSQL.
        var kind: ScalarKind? {
            if isEnum { return .text }
            guard let kind = ScalarKind(typeOID: baseTypeOID) else { return nil }
            return kind == .text && !isDeterministic ? nil : kind
        }
    }

    /// A policy that decides about reading (`for select` or `for all`).
    package struct Policy: Sendable, Hashable {
        package var name: String
        package var isPermissive: Bool
        /// `pg_roles.oid`; 0 for everybody.
        package var roles: [UInt32]
        /// `using (…)` with qualified names; nil when there is none, and then nothing passes by it.
        package var expression: String?
        /// Tables that it reads, theirs policies' included.
        package var relations: Set<UInt32>
        /// Whether its outcome is decided by row, claims and those tables alone: no clock, no chance, no function that
        /// cannot be looked into.
        package var isPure: Bool
        /// Which claims of the caller it reads, as far as that can be said.
        package var claims: ClaimsUse

        package init(
            name: String, isPermissive: Bool, roles: [UInt32], expression: String?,
            relations: Set<UInt32> = [], isPure: Bool, claims: ClaimsUse = .all
        ) {
            self.name = name
            self.isPermissive = isPermissive
            self.roles = roles
            self.expression = expression
            self.relations = relations
            self.isPure = isPure
            self.claims = claims
        }
    }

    package let oid: UInt32
    package let schema: String
    package let name: String
    package let columns: [Column]
    /// Columns of the primary key.
    package let key: [String]
    package let hasRowSecurity: Bool
    /// `force row level security`: policies bind the owner too.
    package let bindsOwner: Bool
    package let policies: [Policy]
    private let indexes: [String: Int]

    init(
        oid: UInt32, schema: String, name: String, columns: [Column], key: [String], hasRowSecurity: Bool,
        bindsOwner: Bool, policies: [Policy]
    ) {
        self.oid = oid
        self.schema = schema
        self.name = name
        self.columns = columns
        self.key = key
        self.hasRowSecurity = hasRowSecurity
        self.bindsOwner = bindsOwner
        self.policies = policies
        indexes = Dictionary(columns.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    /// Index into ``columns``.
    package func columnIndex(_ name: String) -> Int? { indexes[name] }
}

/// What one role may see of one table, before any row is looked at.
package struct RoleAccess: Sendable, Hashable {
    /// `select` on the table, or on some of its columns, and `usage` of its schema.
    package var canRead: Bool
    /// Which of ``TableAccess/columns`` the role may read.
    package var columns: [Bool]
    /// Whether policies do not bind it: superuser, `bypassrls`, the owner.
    package var bypassesPolicies: Bool
    /// Indexes of the table's policies that apply to the role.
    package var policies: [Int]

    package init(canRead: Bool, columns: [Bool], bypassesPolicies: Bool, policies: [Int]) {
        self.canRead = canRead
        self.columns = columns
        self.bypassesPolicies = bypassesPolicies
        self.policies = policies
    }
}
