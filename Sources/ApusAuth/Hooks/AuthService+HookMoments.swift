import ApusJSON
import ApusPostgres
import ApusSQL

/// When hooks are asked.
extension AuthService {
    // MARK: - Before a user is created

    /// Asks whether somebody may become a user.
    ///
    /// - Throws: the hook's refusal.
    func admit(_ user: NewUser, provider: String? = nil, _ call: AuthCall) async throws {
        guard let hook = settings.hooks.beforeUserCreated else { return }
        let name = provider ?? (user.email != nil ? "email" : user.phone != nil ? "phone" : "anonymous")
        let app: JSONObject =
            user.isAnonymous ? [:] : ["provider": .string(name), "providers": .strings([name])]
        let input: JSONObject = [
            "metadata": metadata(hook.name, call),
            "user": [
                "id": .string(user.id), "aud": "authenticated", "role": .string(user.role),
                "email": .string(user.email ?? ""), "phone": .string(user.phone ?? ""),
                "app_metadata": .object(app), "user_metadata": .object(user.userMetadata),
                "is_anonymous": .bool(user.isAnonymous),
            ],
        ]
        let event = AuditEvent("user_signedup", traits: ["hook": .string(hook.name)])
        try await auditingRefusals(of: event, call) { _ = try await ask(hook, input) }
    }

    /// Whether somebody who asks for a code with an address that nobody has may become a user. A refusal looks like every
    /// other request for a code: it would say that nobody has the address.
    func isAdmitted(_ address: Address, _ metadata: JSONObject, _ call: AuthCall) async throws -> Bool {
        guard settings.hooks.beforeUserCreated != nil, !settings.isSignUpDisabled else { return true }
        let finding = address.email.map { Users.byEmail($0) } ?? Users.byPhone(address.text)
        guard AuthUser(try await database.query(finding)) == nil else { return true }
        var user = NewUser(email: address.email, phone: address.phone)
        user.userMetadata = metadata
        do {
            try await admit(user, call)
            return true
        } catch is AuthFault {
            return false
        }
    }

    /// The same for somebody who comes from a provider for the first time.
    func admit(_ account: ProviderAccount, _ call: AuthCall) async throws {
        guard settings.hooks.beforeUserCreated != nil else { return }
        let known = try await database.query(
            """
            select from auth.identities
            where provider = \(bind: account.provider) and provider_id = \(bind: account.subject)
            union all
            select from auth.users
            where \(bind: String(account.isEmailVerified))::boolean and email = \(bind: SQLValue(account.email))
                and not is_sso_user and deleted_at is null
            """)
        guard known.count == 0 else { return }
        var user = NewUser(email: account.email)
        user.userMetadata = account.data
        try await admit(user, provider: account.provider, call)
    }

    // MARK: - After a user was created

    /// Has it told, once the transaction commits, that somebody became a user: from the queue, so that it is told once at
    /// least, whatever happens to this process, and of nobody who was not created after all.
    func announce(user id: String, _ call: AuthCall, in transaction: AuthTransaction) async throws {
        guard let announceUser else { return }
        guard let user = AuthUser(try await transaction.query(Users.byID(id))) else {
            throw AuthFault.unexpected
        }
        let event: JSONObject = [
            "metadata": metadata("after-user-created", call), "user": .object(user.json),
        ]
        try await announceUser(id, event, transaction)
    }

    // MARK: - After a proof was checked

    /// Asks about a password that was checked. It is asked about unknown users too, under an id that nobody has, so that
    /// both take as long.
    ///
    /// - Throws: the hook's refusal, in the shape of a wrong password.
    func judgePassword(of user: String?, _ address: Address, isRight: Bool) async throws {
        guard let hook = settings.hooks.passwordAttempt else { return }
        let id = try user ?? pretendedID("user", address)
        let verdict = try await ask(hook, ["user_id": .string(id), "valid": .bool(isRight)])
        guard let refusal = try await refusal(verdict, user: id) else { return }
        throw AuthFault(400, "invalid_credentials", refusal)
    }

    /// Checks a second factor and asks about the outcome.
    ///
    /// - Throws: what `check` throws; the hook's refusal.
    func judged<R: Sendable>(
        _ kind: AuthFactor.Kind, _ factor: String, _ caller: Caller, _ check: () throws -> R
    ) async throws -> R {
        guard let hook = settings.hooks.factorAttempt else { return try check() }
        let outcome = Result { try check() }
        let isValid = if case .success = outcome { true } else { false }
        let verdict = try await ask(
            hook,
            [
                "factor_id": .string(factor), "factor_type": .string(kind.rawValue),
                "user_id": .string(caller.user.id), "valid": .bool(isValid),
            ])
        if let refusal = try await refusal(verdict, user: caller.user.id) {
            throw AuthFault(403, "mfa_verification_rejected", refusal)
        }
        return try outcome.get()
    }

    // MARK: - Non public

    private func metadata(_ name: String, _ call: AuthCall) -> JSONValue {
        [
            "uuid": .string(UUIDText.random()), "time": .int(Int(now())), "name": .string(name),
            "ip_address": .string(call.address),
        ]
    }

    /// Why a hook refuses; nil when it does not. A hook may sign the user out everywhere as well.
    private func refusal(_ verdict: JSONObject, user: String) async throws -> String? {
        guard verdict["decision"]?.text == "reject" else { return nil }
        if verdict["should_logout_user"] == .bool(true) {
            try await database.query("delete from auth.sessions where user_id = \(bind: user)::uuid")
        }
        return String((verdict["message"]?.text ?? "Further attempts are refused.").prefix(1_000))
    }
}
