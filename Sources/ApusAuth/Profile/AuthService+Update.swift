import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `PUT /user`
    package func updateUser(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try await takeTry("user", settings.userTries, of: call)
        if let app = call.body["app_metadata"], app != .null {
            throw AuthFault(403, "not_admin", "Updating app_metadata requires admin privileges")
        }
        let change = try change(in: call, of: caller.user)
        if change.isSensitive {
            if caller.user.hasVerifiedFactor, caller.session.assurance != "aal2" {
                throw AuthFault(
                    401, "insufficient_aal",
                    "AAL2 session is required to update email or password when MFA is enabled.")
            }
            if caller.user.isManaged {
                throw AuthFault(
                    422, "user_sso_managed",
                    "Updating email, phone, password of a SSO account only possible via SSO")
            }
        }
        let hash = try await newPassword(change, call, caller)
        if change.password == nil, settings.addressNeedsReauthentication, takesOver(change, caller.user) {
            try await proveRecently(call, caller)
        }
        // Before the transaction: counting needs a connection of its own.
        if let email = change.email, !isTakenAtOnce(email: caller.user) {
            try await takeMessage(to: email, .email)
        }
        if let phone = change.phone, !isTakenAtOnce(phone: caller.user) {
            try await takeMessage(to: phone, try channel(of: call))
        }
        try await database.transaction { transaction in
            if let metadata = change.metadata {
                try await transaction.query(Self.merging(metadata, caller.user.id))
            }
            if let hash { try await self.setPassword(hash, caller, transaction) }
            if let email = change.email { try await self.changeEmail(email, call, caller.user, transaction) }
            if let phone = change.phone { try await self.changePhone(phone, call, caller.user, transaction) }
            try await transaction.query(
                self.recording(AuditEvent("user_modified", user: caller.user.id), call))
        }
        guard let user = AuthUser(try await database.query(Users.byID(caller.user.id))) else {
            throw AuthFault.userNotFound
        }
        return .object(user.json)
    }

    // MARK: - What is asked

    private struct Change: Sendable {
        var email: String?
        var phone: String?
        var password: String?
        var metadata: JSONObject?

        var isSensitive: Bool { email != nil || phone != nil || password != nil }
    }

    /// Whether a change could give the account away to whoever found an open session: to a number that is not the one it had,
    /// or to an address about which the old one is not asked.
    private func takesOver(_ change: Change, _ user: AuthUser) -> Bool {
        (change.phone != nil && user.phone != nil)
            || (change.email != nil && user.email != nil && !settings.confirmsBothAddresses)
    }

    private func change(in call: AuthCall, of user: AuthUser) throws(AuthFault) -> Change {
        var change = Change()
        if let given = try call.text("email", limit: 512) {
            guard let email = EmailAddress.read(given) else {
                throw AuthFault(
                    400, "email_address_invalid", "Unable to validate email address: invalid format")
            }
            if email != user.email { change.email = email }
        }
        if let given = try call.text("phone", limit: 64) {
            guard let phone = PhoneNumber.read(given) else {
                throw .invalid("Invalid phone number format (E.164 required)")
            }
            if phone != user.phone { change.phone = phone }
        }
        change.password = try call.text("password")
        change.metadata = try call.object("data")
        return change
    }

    /// The whole change is one level deep, as in GoTrue: a member that is null goes.
    private static func merging(_ metadata: JSONObject, _ user: String) -> SQL {
        """
        update auth.users set updated_at = now(), raw_user_meta_data = coalesce((
            select jsonb_object_agg(key, value)
            from jsonb_each(coalesce(raw_user_meta_data, '{}') || \(bind: metadata.text)::jsonb)
            where value <> 'null'), '{}')
        where id = \(bind: user)
        """
    }

    // MARK: - Passwords

    private func newPassword(_ change: Change, _ call: AuthCall, _ caller: Caller) async throws -> String? {
        guard let password = change.password else { return nil }
        let user = caller.user
        guard !user.isAnonymous || user.email != nil || user.phone != nil || change.email != nil
        else {
            throw AuthFault.invalid(
                "Updating password of an anonymous user without an email or phone is not allowed")
        }
        if let current = try call.text("current_password") {
            guard try await passwords.verify(current, against: user.passwordHash) else {
                throw AuthFault(400, "current_password_invalid", "Current password is not correct")
            }
        } else if settings.passwordNeedsCurrent, user.passwordHash != nil {
            throw AuthFault(
                400, "current_password_required", "Current password required when setting new password.")
        }
        if settings.passwordNeedsReauthentication { try await proveRecently(call, caller) }
        try settings.passwords.check(password, context: [user.email ?? "", user.phone ?? ""])
        if user.passwordHash != nil, try await passwords.verify(password, against: user.passwordHash) {
            throw AuthFault(422, "same_password", "New password should be different from the old password.")
        }
        return try await passwords.hash(password)
    }

    /// A session that was opened within the last day proves enough; an older one needs a code.
    private func proveRecently(_ call: AuthCall, _ caller: Caller) async throws {
        let rows = try await database.query(
            """
            select 1 from auth.sessions
            where id = \(bind: caller.session.id)::uuid and created_at > now() - interval '1 day'
            """)
        guard rows.count == 0 else { return }
        guard let nonce = try call.text("nonce", limit: 64) else {
            throw AuthFault(400, "reauthentication_needed", "This update requires reauthentication")
        }
        guard let secret = secrets[.codes] else { throw AuthFault.notReady }
        let used = try await OneTimeToken.spend(
            code: nonce, recipient: caller.user.email ?? caller.user.phone ?? "", [.reauthentication],
            user: caller.user.id, secret: secret, in: database)
        guard used != nil else {
            throw AuthFault(422, "reauthentication_not_valid", "Nonce has expired or is invalid")
        }
    }

    /// A new password ends every other session and everything that was sent and not used.
    private func setPassword(_ hash: String, _ caller: Caller, _ transaction: AuthTransaction) async throws {
        try await transaction.run([
            "update auth.users set encrypted_password = \(bind: hash), updated_at = now() where id = \(bind: caller.user.id)",
            Self.endingOthers(of: caller),
            OneTimeToken.forgetting(user: caller.user.id),
        ])
        try await notify(.passwordChanged, caller.user, in: transaction)
    }

    // MARK: - Addresses

    private func isTakenAtOnce(email user: AuthUser) -> Bool {
        user.email == nil && settings.autoconfirmsEmail
    }
    private func isTakenAtOnce(phone user: AuthUser) -> Bool {
        user.phone == nil && settings.autoconfirmsPhone
    }

    /// Begins a change of address. It looks the same when the address is somebody else's; then nothing is sent there.
    /// What may be confirmed at once is decided by whether there is an address to protect, and by nothing else.
    private func changeEmail(
        _ email: String, _ call: AuthCall, _ user: AuthUser, _ transaction: AuthTransaction
    ) async throws {
        if isTakenAtOnce(email: user) { return try await save(Self.takingEmail(email, user.id), transaction) }
        let isTaken = try await transaction.query(Users.byEmail(email)).count > 0
        try await transaction.query(
            """
            update auth.users set email_change = \(bind: email), email_change_confirm_status = 0,
                email_change_sent_at = now(), updated_at = now()
            where id = \(bind: user.id)
            """)
        let redirectTo = redirects.allowed(call.redirectTo)
        let challenge = try CodeExchange.challenge(of: call)
        func errand(_ purpose: OneTimePurpose, _ kind: AuthMessage.Kind, _ recipient: String) -> OneTimeErrand
        {
            OneTimeErrand(
                purpose, kind: kind, recipient: recipient, redirectTo: redirectTo, challenge: challenge,
                newEmail: email)
        }
        var toNew = errand(.emailChangeNew, .emailChangeNew, email)
        if settings.confirmsBothAddresses, let current = user.email {
            let inOne = settings.hooks.sendsMail
            let sent = try await send(
                errand(.emailChangeCurrent, .emailChangeCurrent, current), to: user, sends: !inOne,
                in: transaction)
            if inOne {
                toNew.counterpart = sent.token
                return try await sendToBoth(toNew, isTaken: isTaken, to: user, in: transaction)
            }
        }
        guard !isTaken else { return }
        try await send(toNew, to: user, in: transaction)
    }

    private func changePhone(
        _ phone: String, _ call: AuthCall, _ user: AuthUser, _ transaction: AuthTransaction
    ) async throws {
        guard settings.allowsPhone else {
            throw AuthFault(400, "phone_provider_disabled", "Phone logins are disabled")
        }
        if isTakenAtOnce(phone: user) { return try await save(Self.takingPhone(phone, user.id), transaction) }
        let channel = try channel(of: call)
        let isTaken = try await transaction.query(Users.byPhone(phone)).count > 0
        try await transaction.query(
            """
            update auth.users set phone_change = \(bind: phone), phone_change_sent_at = now(), updated_at = now()
            where id = \(bind: user.id)
            """)
        guard !isTaken else { return }
        try await send(
            OneTimeErrand(
                .phoneChange, kind: .phoneChange, channel: channel, recipient: phone,
                redirectTo: settings.siteURL), to: user, in: transaction)
    }
}
