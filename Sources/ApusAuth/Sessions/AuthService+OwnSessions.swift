import ApusJSON
import ApusPostgres
import ApusSQL

/// Where somebody is signed in, for themselves (ASVS 7.5.2). GoTrue has no such routes.
extension AuthService {
    /// `GET /user/sessions`: the newest first.
    package func ownSessions(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let rows = try await database.query(
            """
            select jsonb_strip_nulls(jsonb_build_object(
                'id', s.id, 'created_at', \(AuthUser.time("s.created_at")),
                'refreshed_at', \(AuthUser.time("s.refreshed_at at time zone 'UTC'")), 'user_agent', s.user_agent,
                'ip', host(s.ip), 'aal', coalesce(s.aal::text, 'aal1'), 'client_id', s.oauth_client_id,
                'is_current', s.id = \(bind: caller.session.id)::uuid))
            from auth.sessions s where s.user_id = \(bind: caller.user.id)::uuid and \(isAlive)
            order by s.created_at desc, s.id limit 1000
            """)
        return .json(
            .array(
                (0..<rows.count).compactMap { row in
                    rows.string(row, 0).flatMap { try? JSONReader.read(Array($0.utf8)) }
                }))
    }

    /// `DELETE /user/sessions/:id`: signs out there, within a second.
    package func endOwnSession(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard let id = call.path["id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault(404, "session_not_found", "Session not found")
        }
        let event = recording(
            AuditEvent("logout", user: caller.user.id, traits: ["scope": "one"]), call)
        return try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                delete from auth.sessions
                where id = \(bind: id)::uuid and user_id = \(bind: caller.user.id)::uuid returning id
                """)
            guard rows.count == 1 else { throw AuthFault(404, "session_not_found", "Session not found") }
            try await transaction.query(event)
            return .noContent
        }
    }
}
