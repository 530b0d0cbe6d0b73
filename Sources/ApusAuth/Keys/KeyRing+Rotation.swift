import ApusJSON
import ApusPostgres
package import ApusSQL

/// Moving keys through their states. Every change is announced to all nodes, which then read the ring again.
extension KeyRing {
    /// A key as an operator sees it.
    package struct Entry: Sendable {
        package let id: String
        package let algorithm: String
        package let state: String
        package let changed: String
    }

    /// All keys, the newest last.
    package func entries() async throws -> [Entry] {
        let rows = try await database.query(
            """
            select id, algorithm, state, \(AuthUser.time("changed_at")) from auth.signing_keys
            order by created_at, id
            """)
        return (0..<rows.count).map { row in
            Entry(
                id: rows.string(row, 0) ?? "", algorithm: rows.string(row, 1) ?? "",
                state: rows.string(row, 2) ?? "", changed: rows.string(row, 3) ?? "")
        }
    }

    /// Publishes a key that does not sign yet, so that everybody who keeps a copy of the key set knows it in time.
    ///
    /// - Returns: its id.
    @discardableResult
    package func addStandby() async throws -> String {
        let key = try make()
        try await database.run([
            inserting(key, state: "standby"), Self.recording("added", key.id), Self.announcing,
        ])
        return key.id
    }

    /// Lets the standby key sign, or a new one when there is none. The one that signed goes on verifying, so nobody is
    /// signed out.
    ///
    /// - Parameter minimumAge: seconds for which a standby key must have been published.
    /// - Returns: the id of the key that signs from now on.
    @discardableResult
    package func rotate(minimumAge: Int = 0) async throws -> String {
        let fresh = try make()
        return try await database.transaction { transaction in
            try await transaction.query("lock table auth.signing_keys in share row exclusive mode")
            let standby = try await transaction.query(
                """
                select id from auth.signing_keys where state = 'standby'
                    and changed_at <= now() - make_interval(secs => \(bind: minimumAge))
                order by created_at limit 1
                """)
            try await transaction.query(
                "update auth.signing_keys set state = 'previous', changed_at = now() where state = 'current'")
            let next = standby.string(0, 0) ?? fresh.id
            if standby.count == 0 {
                try await transaction.query(self.inserting(fresh, state: "current"))
            } else {
                try await transaction.query(
                    "update auth.signing_keys set state = 'current', changed_at = now() where id = \(bind: next)"
                )
            }
            try await transaction.run([Self.recording("rotated", next), Self.announcing])
            return next
        }
    }

    /// Lets a key verify nothing any more: every token that it signed is void at once, on all nodes.
    ///
    /// - Returns: false when there is no such key, or it is the one that signs.
    package func revoke(_ id: String) async throws -> Bool {
        try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                update auth.signing_keys set state = 'revoked', changed_at = now()
                where id = \(bind: id) and state in ('standby', 'previous') returning id
                """)
            guard rows.count == 1 else { return false }
            try await transaction.run([Self.recording("revoked", id), Self.announcing])
            return true
        }
    }

    /// Seals every private key anew with the first of the master keys.
    ///
    /// - Returns: how many were sealed with another one.
    package func reseal() async throws -> Int {
        let rows = try await database.query("select id, encode(private_key, 'hex') from auth.signing_keys")
        var count = 0
        for row in 0..<rows.count {
            guard let id = rows.string(row, 0),
                let old = rows.string(row, 1).flatMap({ Hexadecimal.decode($0.utf8) }),
                !masterKeys.isCurrent(old)
            else { continue }
            let plain = try masterKeys.open(old, context: Self.context(id))
            let new = try masterKeys.seal(plain, context: Self.context(id))
            try await database.run([
                """
                update auth.signing_keys set private_key = \(bind: .binary(new, oid: TypeOID.bytea))
                where id = \(bind: id)
                """,
                Self.recording("resealed", id),
            ])
            count += 1
        }
        return count
    }

    /// The audit log's entry; whoever moves keys has a shell and no role of the API.
    private static func recording(_ change: String, _ key: String) -> SQL {
        AuditEvent(
            "signing_key_" + change, administrator: "operator", traits: ["key": .string(key)]
        ).recording(from: "")
    }

    private static let announcing: SQL = "select pg_notify('apus_auth', 'keys')"
}
