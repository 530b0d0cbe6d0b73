import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `GET /passkeys`
    package func passkeys(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard settings.factors.allowsPasskeys else { throw AuthFault.passkeysDisabled }
        return try await passkeys(of: caller.user.id)
    }

    /// `PATCH /passkeys/:passkey_id`: renames it.
    package func renamePasskey(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard settings.factors.allowsPasskeys else { throw AuthFault.passkeysDisabled }
        guard let id = call.path["passkey_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.passkeyNotFound
        }
        guard let name = try call.text("friendly_name", limit: 120) else {
            throw AuthFault.invalid("friendly_name is required")
        }
        let event = recording(AuditEvent("passkey_updated", user: caller.user.id), call)
        return try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                update auth.webauthn_credentials p set friendly_name = \(bind: name), updated_at = now()
                where id = \(bind: id)::uuid and user_id = \(bind: caller.user.id)::uuid
                returning \(Self.shownPasskey)
                """)
            guard let passkey = Self.json(rows, 0) else { throw AuthFault.passkeyNotFound }
            try await transaction.query(event)
            return .json(passkey)
        }
    }

    /// `DELETE /passkeys/:passkey_id`
    package func removePasskey(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let event = AuditEvent("passkey_deleted", user: caller.user.id)
        return try await auditingRefusals(of: event, call) {
            try allowPasskeyChange(caller)
            return try await removePasskey(call, of: caller.user.id, event)
        }
    }

    // MARK: - For administrators

    /// `GET /admin/users/:user_id/passkeys`
    package func passkeys(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        try await passkeys(of: try await factorOwner(call).id)
    }

    /// `DELETE /admin/users/:user_id/passkeys/:passkey_id`
    package func removePasskey(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        let user = try await factorOwner(call).id
        return try await removePasskey(
            call, of: user, AuditEvent("passkey_deleted", user: user, administrator: administrator.role))
    }

    // MARK: - Non public

    private static let shownPasskey: SQL =
        """
        jsonb_build_object('id', p.id, 'friendly_name', p.friendly_name, 'created_at', \(AuthUser.time("p.created_at")))
        || jsonb_strip_nulls(jsonb_build_object('last_used_at', \(AuthUser.time("p.last_used_at"))))
        """

    private func passkeys(of user: String) async throws -> AuthAnswer {
        let rows = try await database.query(
            """
            select \(Self.shownPasskey) from auth.webauthn_credentials p
            where p.user_id = \(bind: user)::uuid order by p.created_at, p.id
            """)
        return .json(.array((0..<rows.count).compactMap { Self.json(rows, $0) }))
    }

    private func removePasskey(
        _ call: AuthCall, of user: String, _ event: AuditEvent
    ) async throws -> AuthAnswer {
        guard let id = call.path["passkey_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.passkeyNotFound
        }
        return try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                delete from auth.webauthn_credentials
                where id = \(bind: id)::uuid and user_id = \(bind: user)::uuid returning id
                """)
            guard rows.count == 1 else { throw AuthFault.passkeyNotFound }
            try await transaction.query(self.recording(event, call))
            return .noContent
        }
    }

    private static func json(_ rows: Rows, _ row: Int) -> JSONValue? {
        rows.string(row, 0).flatMap { try? JSONReader.read(Array($0.utf8)) }
    }
}
