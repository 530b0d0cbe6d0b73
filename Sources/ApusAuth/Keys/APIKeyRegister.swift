import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

/// Making, listing and revoking API keys. Every change is announced by the table's trigger, and is in the audit log.
package struct APIKeyRegister: Sendable {
    /// A key as an operator sees it.
    package struct Entry: Sendable {
        package let name: String
        package let role: String
        package let created: String
        /// Right to some ten minutes; nil: never.
        package let lastUsed: String?
        package let expires: String?
    }

    /// Why a key is not made.
    package enum Refusal: Error, Sendable {
        case nameTaken
        case noSuchRole
        case nameUnusable
    }

    private let database: AuthDatabase

    package init(_ database: AuthDatabase) { self.database = database }

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - role: of the database; that of people who are not signed in makes a publishable key.
    ///   - lifetime: seconds; nil: until it is revoked.
    /// - Returns: the key itself, which is shown this once and kept nowhere.
    package func create(
        _ name: String, role: String, isPublishable: Bool, lifetime: Int64?
    ) async throws -> String {
        // One line of a list is one key, and no name can hide in another.
        guard (1...64).contains(name.count), name.unicodeScalars.allSatisfy(Self.isPlain),
            name.first != " ", name.last != " "
        else { throw Refusal.nameUnusable }
        let key = APIKey.make(isPublishable: isPublishable)
        let digest = SQLValue.binary(APIKey.digest(of: key.utf8), oid: TypeOID.bytea)
        try await database.transaction { transaction in
            let roles = try await transaction.query(
                "select from pg_roles where rolname = \(bind: role) and rolname <> 'none'")
            guard roles.count == 1 else { throw Refusal.noSuchRole }
            let made = try await transaction.query(
                """
                insert into auth.api_keys (name, role, digest, expires_at)
                values (\(bind: name), \(bind: role), \(bind: digest),
                    now() + make_interval(secs => \(bind: SQLValue(lifetime.map { String($0) }))::float8))
                on conflict (name) where revoked_at is null do nothing returning id
                """)
            guard made.count == 1 else { throw Refusal.nameTaken }
            try await transaction.query(Self.recording("created", name, role))
        }
        return key
    }

    /// The keys that hold or have expired, the oldest first.
    package func entries() async throws -> [Entry] {
        let rows = try await database.query(
            """
            select name, role, \(AuthUser.time("created_at")), \(AuthUser.time("last_used_at")),
                \(AuthUser.time("expires_at"))
            from auth.api_keys where revoked_at is null order by created_at, name
            """)
        return (0..<rows.count).map { row in
            Entry(
                name: rows.string(row, 0) ?? "", role: rows.string(row, 1) ?? "",
                created: rows.string(row, 2) ?? "", lastUsed: rows.string(row, 3),
                expires: rows.string(row, 4))
        }
    }

    /// Voids a key on all nodes at once. Its name is free again.
    ///
    /// - Returns: false when there is none of this name.
    package func revoke(_ name: String) async throws -> Bool {
        try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                update auth.api_keys set revoked_at = now()
                where name = \(bind: name) and revoked_at is null returning role
                """)
            guard rows.count == 1 else { return false }
            try await transaction.query(Self.recording("revoked", name, rows.string(0, 0) ?? ""))
            return true
        }
    }

    // MARK: - For nodes

    static let holding: SQL =
        """
        select id, name, role, encode(digest, 'hex'), extract(epoch from expires_at)::bigint
        from auth.api_keys where revoked_at is null and (expires_at is null or expires_at > now())
        """

    static func keys(in rows: Rows) -> [APIKey] {
        (0..<rows.count).compactMap { row in
            guard let id = rows.string(row, 0), let name = rows.string(row, 1),
                let role = rows.string(row, 2),
                let digest = rows.string(row, 3).flatMap({ Hexadecimal.decode($0.utf8) })
            else { return nil }
            return APIKey(
                id: id, name: name, role: role, digest: digest, expires: rows.int(row, 4).map { Int64($0) })
        }
    }

    // MARK: - Non public

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default: true
        }
    }

    /// Whoever makes keys has a shell and no role of the API.
    private static func recording(_ change: String, _ name: String, _ role: String) -> SQL {
        AuditEvent(
            "api_key_" + change, administrator: "operator",
            traits: ["api_key": .string(name), "role": .string(role)]
        ).recording(from: "")
    }
}
