import ApusJSON
import ApusPostgres
import ApusSQL

/// Codes on paper for who lost the other factor. A set is a factor of its own kind, so that `auth.mfa_factors` tells
/// everything that can make a session strong.
extension AuthService {
    /// `GET /factors/recovery-codes`: how many are left, never the codes.
    package func recoveryCodeStatus(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let rows = try await database.query(
            """
            select f.id, coalesce(f.friendly_name, ''), count(c), count(c) filter (where c.used_at is null)
            from auth.mfa_factors f left join auth.mfa_recovery_codes c on c.factor_id = f.id
            where f.user_id = \(bind: caller.user.id)::uuid and f.factor_type::text = 'recovery_code' group by f.id
            """)
        guard let id = rows.string(0, 0) else { throw AuthFault.factorNotFound }
        return .json([
            "id": .string(id), "type": "recovery_code", "friendly_name": .string(rows.string(0, 1) ?? ""),
            "total": .int(rows.int(0, 2) ?? 0), "remaining": .int(rows.int(0, 3) ?? 0),
        ])
    }

    /// `POST /factors/recovery-codes`: the first set.
    package func generateRecoveryCodes(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try await newRecoveryCodes(call, caller, replaces: false)
    }

    /// `POST /factors/recovery-codes/regenerate`: a new set in place of the old one.
    package func regenerateRecoveryCodes(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try await newRecoveryCodes(call, caller, replaces: true)
    }

    /// `POST /factors/recovery-codes/verify`: spends a code, which makes the session `aal2`.
    package func verifyRecoveryCode(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard let typed = try call.text("code") else { throw AuthFault.invalid("Code needs to be non-empty") }
        let method = AuthFactor.Kind.recoveryCode.method
        return try await auditingRefusals(of: Self.verification(by: method, caller), call) {
            try await takeFactorAttempt(user: caller.user.id)
            guard let code = RecoveryCode(typed) else {
                throw AuthFault.wrongFactor("Invalid recovery code entered")
            }
            let pending = try await database.transaction { transaction in
                guard let factor = try await self.spend(code, user: caller.user.id, in: transaction) else {
                    throw AuthFault.wrongFactor("Invalid recovery code entered")
                }
                return try await self.strengthen(
                    caller, by: method, factor: factor, isNew: false, call, in: transaction)
            }
            return try await issue(pending).answer
        }
    }

    /// `DELETE /factors/recovery-codes`
    package func removeRecoveryCodes(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        guard caller.session.assurance == "aal2" else { throw AuthFault.recoveryCodesNeedStrength }
        let rows = try await database.query(
            """
            select id from auth.mfa_factors
            where user_id = \(bind: caller.user.id)::uuid and factor_type::text = 'recovery_code'
            """)
        guard let id = rows.string(0, 0) else { throw AuthFault.factorNotFound }
        let event = AuditEvent("recovery_codes_deleted", user: caller.user.id)
        try await delete(factor: id, user: caller.user.id, recording(event, call))
        return .json(["id": .string(id)])
    }

    /// Spends a code by one statement, so that of several uses at once one wins; the id of its factor, or nil.
    func spend(_ code: RecoveryCode, user: String, in transaction: AuthTransaction) async throws -> String? {
        let digest = SQLValue.binary(code.digest(user: user), oid: TypeOID.bytea)
        let rows = try await transaction.query(
            """
            update auth.mfa_recovery_codes c set used_at = now()
            from auth.mfa_factors f
            where c.factor_id = f.id and f.user_id = \(bind: user)::uuid and c.code_hash = \(bind: digest)
                and c.used_at is null
            returning f.id
            """)
        return rows.string(0, 0)
    }

    // MARK: - Non public

    private func newRecoveryCodes(
        _ call: AuthCall, _ caller: Caller, replaces: Bool
    ) async throws -> AuthAnswer {
        guard caller.session.assurance == "aal2" else { throw AuthFault.recoveryCodesNeedStrength }
        let name = try call.text("friendly_name", limit: 256) ?? "Recovery codes"
        let user = caller.user.id
        let codes = RecoveryCode.randomSet()
        let digests =
            "{" + codes.map { #""\\x\#(Hexadecimal.encode($0.digest(user: user)))""# }.joined(separator: ",")
            + "}"
        return try await database.transaction { transaction in
            try await transaction.query("select from auth.users where id = \(bind: user)::uuid for update")
            let known = try await transaction.query(
                """
                select id, coalesce(friendly_name, '') from auth.mfa_factors
                where user_id = \(bind: user)::uuid and factor_type::text = 'recovery_code'
                """)
            if !replaces, known.count > 0 {
                throw AuthFault(
                    422, "mfa_verified_factor_exists", "Recovery codes exist already; regenerate them instead"
                )
            }
            if replaces, known.count == 0 { throw AuthFault.factorNotFound }
            let id = known.string(0, 0) ?? UUIDText.random()
            try await transaction.run([
                """
                insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status)
                values (\(bind: id)::uuid, \(bind: user)::uuid, \(bind: name), 'recovery_code', 'verified')
                on conflict (id) do update set updated_at = now()
                """,
                "delete from auth.mfa_recovery_codes where factor_id = \(bind: id)::uuid",
                """
                insert into auth.mfa_recovery_codes (factor_id, code_hash)
                select \(bind: id)::uuid, unnest(\(bind: digests)::bytea[])
                """,
                self.recording(AuditEvent("generate_recovery_codes", user: user), call),
            ])
            return .json([
                "id": .string(id), "type": "recovery_code",
                "friendly_name": .string(known.string(0, 1) ?? name), "total": .int(codes.count),
                "codes": .strings(codes.map(\.text)),
            ])
        }
    }
}

extension AuthFault {
    fileprivate static let recoveryCodesNeedStrength = AuthFault(
        403, "insufficient_aal", "AAL2 required to manage recovery codes")
}
