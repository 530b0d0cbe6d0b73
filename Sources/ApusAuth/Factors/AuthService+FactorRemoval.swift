import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `DELETE /factors/:factor_id`
    package func removeFactor(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let factor = try await factor(call, caller)
        let event = AuditEvent(
            "factor_unenrolled", user: caller.user.id, traits: ["method": .string(factor.kind.method)])
        return try await auditingRefusals(of: event, call) {
            guard !factor.isVerified || caller.session.assurance == "aal2" else {
                throw AuthFault(422, "insufficient_aal", "AAL2 required to unenroll verified factor")
            }
            try await delete(factor: factor.id, user: caller.user.id, recording(event, call))
            return .json(["id": .string(factor.id)])
        }
    }

    /// Deletes a factor. Sessions that were strengthened by it are weak again, at their next refresh and wherever the
    /// session is looked up; recovery codes go with the last factor that they stand in for.
    ///
    /// - Parameter record: the statement that records it.
    func delete(factor: String, user: String, _ record: SQL) async throws {
        try await database.run([
            "select from auth.users where id = \(bind: user)::uuid for update",
            """
            delete from auth.mfa_amr_claims a using auth.sessions s
            where a.session_id = s.id and s.user_id = \(bind: user)::uuid and s.factor_id = \(bind: factor)::uuid
                and a.authentication_method in ('totp', 'mfa/phone', 'mfa/webauthn', 'mfa/recovery_code')
            """,
            """
            update auth.sessions
            set aal = 'aal1', factor_id = null, refresh_token_counter = coalesce(refresh_token_counter, 0) + 2
            where user_id = \(bind: user)::uuid and factor_id = \(bind: factor)::uuid
            """,
            "delete from auth.mfa_factors where id = \(bind: factor)::uuid and user_id = \(bind: user)::uuid",
            """
            delete from auth.mfa_factors c where c.user_id = \(bind: user)::uuid
                and c.factor_type::text = 'recovery_code' and not exists (
                    select from auth.mfa_factors o where o.user_id = c.user_id and o.status = 'verified'
                        and o.factor_type::text <> 'recovery_code')
            """,
            record,
        ])
    }

    // MARK: - For administrators

    /// `GET /admin/users/:user_id/factors`
    package func factors(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        let user = try await factorOwner(call)
        return .json(user.json["factors"] ?? .array([]))
    }

    /// `PUT /admin/users/:user_id/factors/:factor_id`: renames it.
    package func updateFactor(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        let user = try await factorOwner(call)
        guard let id = call.path["factor_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.factorNotFound
        }
        let name = try call.text("friendly_name", limit: 256)
        try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                update auth.mfa_factors set friendly_name = coalesce(\(bind: SQLValue(name)), friendly_name),
                    updated_at = now()
                where id = \(bind: id)::uuid and user_id = \(bind: user.id)::uuid returning id
                """)
            guard rows.count == 1 else { throw AuthFault.factorNotFound }
            try await transaction.query(
                self.recording(
                    AuditEvent("factor_updated", user: user.id, administrator: administrator.role), call))
        }
        return try await shown(factor: id, call)
    }

    /// `DELETE /admin/users/:user_id/factors/:factor_id`
    package func removeFactor(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        guard let id = call.path["factor_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.factorNotFound
        }
        let answer = try await shown(factor: id, call)
        let user = try await factorOwner(call).id
        try await delete(
            factor: id, user: user,
            recording(AuditEvent("factor_deleted", user: user, administrator: administrator.role), call))
        return answer
    }

    private func shown(factor id: String, _ call: AuthCall) async throws -> AuthAnswer {
        let factors = try await factorOwner(call).json["factors"]?.array ?? []
        guard let factor = factors.first(where: { $0.object?["id"]?.text == id }) else {
            throw AuthFault.factorNotFound
        }
        return .json(factor)
    }

    func factorOwner(_ call: AuthCall) async throws -> AuthUser {
        guard let id = call.path["user_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault(404, "validation_failed", "user_id must be an UUID")
        }
        guard let user = AuthUser(try await database.query(Users.byID(id))) else {
            throw AuthFault.userNotFound
        }
        return user
    }
}
