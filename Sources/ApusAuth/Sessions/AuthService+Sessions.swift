import ApusJSON
import ApusPostgres
package import ApusSQL
import ApusTokens

extension AuthService {
    /// Opens a session for a user, as part of a transaction.
    ///
    /// - Parameters:
    ///   - method: what `amr` shall say: `password`, `otp`, `oauth`…
    ///   - assurance: `aal1`, or `aal2` when the method alone is worth two factors.
    /// - Throws: `user_banned`; what the database refuses.
    package func openSession(
        user id: String, method: String, assurance: String = "aal1", call: AuthCall,
        in transaction: AuthTransaction
    ) async throws -> PendingGrant {
        let opening = sessionOpening(user: id, method: method, assurance: assurance, call)
        try await transaction.run(opening.statements)
        var pending = try await grant(session: opening.id, in: transaction)
        pending.isNew = true
        return pending
    }

    /// What tokens for a session as it is now will say.
    package func grant(session id: String, in transaction: AuthTransaction) async throws -> PendingGrant {
        let rows = try await transaction.query(Self.sessionAndUser(id))
        guard let session = AuthSession(rows), let user = AuthUser(rows, column: AuthSession.columnCount)
        else {
            throw AuthFault.sessionNotFound
        }
        guard !user.isBanned else { throw AuthFault.userBanned }
        return try await grant(user, session) { try await transaction.run($0) }
    }

    /// The same, from what was read. A function of the database changes the claims here, in the transaction; a service is
    /// asked later.
    ///
    /// - Parameter run: asks the database, in the transaction that there is, or in one of its own.
    func grant(
        _ user: AuthUser, _ session: AuthSession, run: @Sendable ([SQL]) async throws -> [Rows]
    ) async throws -> PendingGrant {
        let issued = Int(now())
        var claims = AccessToken.claims(
            user, session, issuer: settings.issuer, now: issued, lifetime: settings.tokenLifetime)
        if let hook = settings.tokenHook, let function = hook.function {
            let input = TokenHook.input(user.id, claims, session)
            let answers: [Rows]
            do {
                answers = try await run(TokenHook.calling(function, input))
            } catch let fault as PostgresFault where fault.sqlState == "57014" {
                throw hook.hook.timedOut(afterRetries: false)
            }
            let answer = answers.count == 3 ? answers[1].string(0, 0) : nil
            claims = try hook.claims(answer.map { Array($0.utf8) }, from: claims)
        }
        return PendingGrant(
            user: user, session: session, claims: claims, expiresAt: issued + settings.tokenLifetime)
    }

    /// Makes the tokens. No transaction is open meanwhile.
    ///
    /// - Throws: what a service refuses that is asked about the claims; a session that began with this has ended then.
    func issue(_ pending: PendingGrant) async throws -> SessionGrant {
        guard let signer = keys.signer, let secret = secrets[.refreshTokens] else {
            throw AuthFault.notReady
        }
        var claims = pending.claims
        if let hook = settings.tokenHook, hook.function == nil {
            do {
                let answer = try await ask(
                    hook.hook, TokenHook.input(pending.user.id, claims, pending.session))
                claims = try hook.claims(answer, from: claims)
            } catch {
                if pending.isNew { try await database.query(Self.ending(session: pending.session.id)) }
                throw error
            }
        }
        return SessionGrant(
            accessToken: try signer.sign(JSONValue.object(claims).bytes),
            refreshToken: RefreshToken(session: pending.session.id, counter: pending.session.counter).text(
                secret),
            expiresIn: settings.tokenLifetime, expiresAt: pending.expiresAt, user: pending.user,
            session: pending.session, more: pending.more)
    }

    /// A session together with its user.
    static func sessionAndUser(_ session: String) -> SQL {
        """
        select \(AuthSession.columns), \(AuthUser.columns)
        from auth.sessions s join auth.users u on u.id = s.user_id
        where s.id = \(bind: session)::uuid and (s.not_after is null or s.not_after > now())
            and u.deleted_at is null
        """
    }

    /// The statements that open a session, and its id.
    func sessionOpening(
        user: String, method: String, assurance: String = "aal1", _ call: AuthCall
    ) -> (id: String, statements: [SQL]) {
        let id = UUIDText.random()
        var statements: [SQL] = [
            """
            insert into auth.sessions
                (id, user_id, created_at, updated_at, refreshed_at, aal, user_agent, ip, refresh_token_counter)
            values (\(bind: id), \(bind: user), now(), now(), now() at time zone 'UTC', \(bind: assurance),
                \(bind: SQLValue(call.userAgent)), \(bind: SQLValue(call.inetAddress)), 0)
            """,
            """
            insert into auth.mfa_amr_claims (session_id, authentication_method)
            values (\(bind: id), \(bind: method))
            """,
            "update auth.users set last_sign_in_at = now(), updated_at = now() where id = \(bind: user)",
        ]
        if settings.allowsOneSession {
            statements.append(
                "delete from auth.sessions where user_id = \(bind: user)::uuid and id <> \(bind: id)::uuid")
        }
        return (id, statements)
    }
}

extension SQLValue {
    /// Text, or null for nil.
    package init(_ text: String?) { self = text.map { .text($0) } ?? .null }
}

extension AuthCall {
    /// The address as `inet` takes it; nil when it is none.
    package var inetAddress: String? {
        let isAddress =
            !address.isEmpty && address.utf8.count <= 45
            && address.utf8.allSatisfy {
                Hexadecimal.digit($0) != nil || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":")
            }
        return isAddress ? address : nil
    }
}
