import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `POST /token?grant_type=…`
    package func token(_ call: AuthCall, _ caller: Caller?) async throws -> AuthAnswer {
        switch call.query["grant_type"] {
        case "password": return try await signIn(call)
        case "refresh_token": return try await refresh(call)
        case "pkce": return try await exchangeCode(call)
        case "id_token": return try await signInWithIDToken(call, caller)
        default: throw AuthFault(400, "invalid_grant", "unsupported_grant_type")
        }
    }

    /// `grant_type=password`. Unknown users, users without a password and wrong passwords get one answer, after the same
    /// work.
    private func signIn(_ call: AuthCall) async throws -> AuthAnswer {
        guard let address = try address(of: call) else {
            throw AuthFault.invalid("missing email or phone")
        }
        guard let password = try call.text("password") else { throw AuthFault.invalidCredentials }
        let account = try pseudonym(address.text)
        let subscriber = NetworkAddress(call.address).subscriber
        // Tries outlive users for a while: they name neither account nor address.
        let place = try pseudonym(subscriber)
        let user = try await admitToSignIn(address, account, place, subscriber, call)
        let isRight = try await passwords.verify(password, against: user?.passwordHash)
        try await auditingRefusals(of: AuditEvent("login", user: user?.id), call) {
            try await judgePassword(of: user?.id, address, isRight: isRight && user != nil)
        }
        guard isRight, let user else {
            await record(AuditEvent("login", user: user?.id, failure: "invalid_credentials"), call)
            throw AuthFault.invalidCredentials
        }
        if let refusal = refusal(of: user, address) {
            await record(AuditEvent("login", user: user.id, failure: refusal.code), call)
            throw refusal
        }
        let opening = sessionOpening(user: user.id, method: "password", call)
        let answers = try await database.run(
            opening.statements + [
                SignInGuard.release(account, place),
                recording(AuditEvent("login", user: user.id, traits: ["method": "password"]), call),
                Self.sessionAndUser(opening.id),
            ])
        guard let rows = answers.last, let session = AuthSession(rows),
            let current = AuthUser(rows, column: AuthSession.columnCount)
        else { throw AuthFault.unexpected }
        var pending = try await grant(current, session) { try await self.database.run($0) }
        pending.isNew = true
        if let warning = settings.passwords.warning(password) { pending.more["weak_password"] = warning }
        if let hash = user.passwordHash, passwords.isOutdated(hash) {
            try? await rehash(password, of: user.id, from: hash)
        }
        return try await issue(pending).answer
    }

    /// Counts the try and finds the user, in one round trip.
    private func admitToSignIn(
        _ address: Address, _ account: String, _ place: String, _ subscriber: String, _ call: AuthCall
    ) async throws -> AuthUser? {
        let overall = RateLimit("token", settings.tokenTries, per: 300)
        let answers = try await database.run([
            overall.taking(subscriber) ?? "select 1",
            SignInGuard.take(account, place),
            SignInGuard.takeAsStranger(account, email: address.email, phone: address.phone, call.inetAddress),
            address.email.map { Users.byEmail($0) } ?? Users.byPhone(address.text),
        ])
        guard answers.count == 4, answers[..<3].allSatisfy({ $0.count > 0 }) else {
            await record(AuditEvent("login", failure: "over_request_rate_limit"), call)
            throw AuthFault.tooOften(retryAfter: 1)
        }
        return AuthUser(answers[3])
    }

    /// Why somebody with the right password may not come in; said to nobody without it.
    private func refusal(of user: AuthUser, _ address: Address) -> AuthFault? {
        if user.isBanned { return .userBanned }
        if address.email != nil, !user.isEmailConfirmed {
            return AuthFault(400, "email_not_confirmed", "Email not confirmed")
        }
        if address.phone != nil, !user.isPhoneConfirmed {
            return AuthFault(400, "phone_not_confirmed", "Phone not confirmed")
        }
        return nil
    }

    /// A hash of today's kind in place of an older one, unless the password was changed meanwhile.
    private func rehash(_ password: String, of user: String, from old: String) async throws {
        let hash = try await passwords.hash(password)
        try await database.query(
            """
            update auth.users set encrypted_password = \(bind: hash)
            where id = \(bind: user) and encrypted_password = \(bind: old)
            """)
    }
}
