import ApusJSON
import ApusPostgres
package import ApusSQL

extension AuthService {
    /// `POST /verify` by a client: a code with the address it was sent to, or what a link carried.
    package func verify(_ call: AuthCall) async throws -> AuthAnswer {
        if call.isForm { return try await verifyFromPage(call) }
        try await takeTry("verify", settings.verifyTries, of: call)
        guard let type = try call.text("type"), let purposes = OneTimePurpose.allowed(type: type) else {
            throw AuthFault.invalid("Verify requires a verification type")
        }
        let used: OneTimeToken.Used?
        if let link = try call.text("token_hash", limit: 256) {
            guard try call.text("email") == nil, try call.text("phone") == nil else {
                throw AuthFault.invalid("Only the token_hash and type should be provided")
            }
            used = OneTimeToken.read(
                try await database.query(OneTimeToken.spending(link: link, purposes)))
        } else {
            used = try await usedCode(purposes, call)
        }
        guard let used else {
            await record(AuditEvent("user_verification", failure: "otp_expired"), call)
            throw AuthFault.tokenExpired
        }
        switch try await confirm(used, call, opensSession: true) {
        case .session(let pending): return try await issue(pending).answer
        case .halfDone: return .json(["msg": .string(Self.halfDoneMessage), "code": "200"])
        case .confirmed: throw AuthFault.unexpected
        }
    }

    private func usedCode(_ purposes: [OneTimePurpose], _ call: AuthCall) async throws -> OneTimeToken.Used? {
        guard let secret = secrets[.codes] else { throw AuthFault.notReady }
        guard let code = try call.text("token", limit: 64) else {
            throw AuthFault.invalid("Verify requires a token or a token hash")
        }
        let email = try call.text("email", limit: 512)
        let phone = try call.text("phone", limit: 64)
        let recipient = email.map { EmailAddress.read($0) } ?? phone.flatMap { PhoneNumber.read($0) }
        guard email != nil || phone != nil else {
            throw AuthFault.invalid("Only an email address or phone number should be provided on verify")
        }
        guard let recipient else { return nil }
        return try await OneTimeToken.spend(
            code: code, recipient: recipient, purposes, secret: secret, in: database)
    }

    static let halfDoneMessage =
        "Confirmation link accepted. Please proceed to confirm link sent to the other email"

    // MARK: - What a token does

    enum Confirmation: Sendable {
        case session(PendingGrant)
        /// One of two addresses agreed to a change.
        case halfDone
        /// Everything but the session, which an exchange of codes will open.
        case confirmed(user: String)
    }

    /// Does what a token that was just used stands for.
    ///
    /// - Throws: 403 `user_banned`; `email_exists` when somebody else took the address meanwhile.
    func confirm(
        _ used: OneTimeToken.Used, _ call: AuthCall, opensSession: Bool
    ) async throws -> Confirmation {
        try await database.transaction { transaction in
            guard let user = AuthUser(try await transaction.query(Users.byID(used.user))) else {
                throw AuthFault.tokenExpired
            }
            guard !user.isBanned else { throw AuthFault(403, "user_banned", "User is banned") }
            switch used.purpose {
            case .emailChangeCurrent, .emailChangeNew:
                guard try await self.confirmEmailChange(user, used, transaction) else { return .halfDone }
            case .phoneChange: try await self.confirmPhoneChange(user, used, transaction)
            case .sms: try await transaction.run(Self.confirmingPhone(user.id))
            case .reauthentication: throw AuthFault.tokenExpired
            case .signUp, .invite, .magicLink, .recovery:
                try await transaction.run(self.confirmingEmail(user, used))
            }
            try await transaction.query(
                self.recording(
                    AuditEvent("login", user: user.id, traits: ["method": .string(used.purpose.method)]), call
                ))
            guard opensSession else { return .confirmed(user: user.id) }
            return .session(
                try await self.openSession(
                    user: user.id, method: used.purpose.method, call: call, in: transaction))
        }
    }

    /// A link that was asked for proves who owns the address. If the account was never confirmed, its password may be
    /// that of somebody who signed up with another's address, so it goes, with all else that was not proven.
    private func confirmingEmail(_ user: AuthUser, _ used: OneTimeToken.Used) -> [SQL] {
        var statements: [SQL] = []
        if !user.isEmailConfirmed, used.purpose == .magicLink || used.purpose == .recovery {
            statements.append("update auth.users set encrypted_password = '' where id = \(bind: user.id)")
            statements.append(
                "delete from auth.identities where user_id = \(bind: user.id) and provider not in ('email', 'phone')"
            )
            statements.append("delete from auth.sessions where user_id = \(bind: user.id)")
        }
        statements.append(
            """
            update auth.users set email_confirmed_at = coalesce(email_confirmed_at, now()), is_anonymous = false,
                updated_at = now()
            where id = \(bind: user.id)
            """)
        statements.append(
            """
            update auth.identities set identity_data = identity_data || '{"email_verified": true}',
                updated_at = now()
            where user_id = \(bind: user.id) and provider = 'email'
            """)
        return statements
    }

    private static func confirmingPhone(_ user: String) -> [SQL] {
        [
            """
            update auth.users set phone_confirmed_at = coalesce(phone_confirmed_at, now()), is_anonymous = false,
                updated_at = now()
            where id = \(bind: user)
            """,
            """
            update auth.identities set identity_data = identity_data || '{"phone_verified": true}',
                updated_at = now()
            where user_id = \(bind: user) and provider = 'phone'
            """,
        ]
    }

    /// Whether the change is complete: with both sides asked, both tokens must have been used.
    private func confirmEmailChange(
        _ user: AuthUser, _ used: OneTimeToken.Used, _ transaction: AuthTransaction
    ) async throws -> Bool {
        guard let new = user.newEmail else { throw AuthFault.tokenExpired }
        if settings.confirmsBothAddresses, user.email != nil {
            // 1: the new address agreed, 2: the current one did; the column knows no more.
            let mine = used.purpose == .emailChangeNew ? 1 : 2
            let status = try await transaction.query(
                "select email_change_confirm_status from auth.users where id = \(bind: user.id) for update")
            guard status.int(0, 0) == 3 - mine else {
                try await transaction.query(
                    """
                    update auth.users set email_change_confirm_status = \(bind: mine)::smallint
                    where id = \(bind: user.id)
                    """)
                return false
            }
        } else if used.purpose == .emailChangeCurrent {
            return false
        }
        try await save(Self.takingEmail(new, user.id), transaction)
        try await notify(.emailChanged, user, in: transaction)
        return true
    }

    private func confirmPhoneChange(
        _ user: AuthUser, _ used: OneTimeToken.Used, _ transaction: AuthTransaction
    ) async throws {
        guard let new = user.newPhone, new == used.recipient else { throw AuthFault.tokenExpired }
        try await save(Self.takingPhone(new, user.id), transaction)
    }

    /// Runs statements that change a user; an address that is taken is said so.
    func save(_ statements: [SQL], _ transaction: AuthTransaction) async throws {
        do throws(PostgresFault) {
            try await transaction.run(statements)
        } catch {
            throw Self.fault(ofSaving: error)
        }
    }

    /// Gives a user a confirmed address, and takes away every token that was sent to the old one.
    static func takingEmail(_ email: String, _ user: String) -> [SQL] {
        let data: JSONObject = ["sub": .string(user), "email": .string(email), "email_verified": true]
        return [
            """
            update auth.users set email = \(bind: email), email_change = '', email_change_confirm_status = 0,
                email_confirmed_at = now(), is_anonymous = false, updated_at = now(),
                raw_app_meta_data = \(providers(adding: "email"))
            where id = \(bind: user)
            """,
            AuthIdentity.upsert(user: user, provider: "email", subject: user, data: data.text),
            OneTimeToken.forgetting(user: user),
        ]
    }

    /// The same for a number.
    static func takingPhone(_ phone: String, _ user: String) -> [SQL] {
        let data: JSONObject = ["sub": .string(user), "phone": .string(phone), "phone_verified": true]
        return [
            """
            update auth.users set phone = \(bind: phone), phone_change = '', phone_confirmed_at = now(),
                is_anonymous = false, updated_at = now(), raw_app_meta_data = \(providers(adding: "phone"))
            where id = \(bind: user)
            """,
            AuthIdentity.upsert(user: user, provider: "phone", subject: user, data: data.text),
            OneTimeToken.forgetting(user: user),
        ]
    }

    /// `raw_app_meta_data` with one more in `providers`.
    package static func providers(adding provider: String) -> SQL {
        """
        case when coalesce(raw_app_meta_data -> 'providers', '[]') ? \(bind: provider)::text then raw_app_meta_data
        else coalesce(raw_app_meta_data, '{}') || jsonb_build_object(
            'provider', coalesce(raw_app_meta_data -> 'provider', to_jsonb(\(bind: provider)::text)),
            'providers', coalesce(raw_app_meta_data -> 'providers', '[]') || to_jsonb(\(bind: provider)::text)) end
        """
    }
}
