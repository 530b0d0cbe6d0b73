import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `grant_type=refresh_token`
    ///
    /// The newest token counts one on and gives its successor. The one before it gives the newest again, at any time:
    /// its holder never got the answer. An older one within ``AuthSettings/reuseInterval`` does so too: several tabs of
    /// one browser. Anything else was stolen from somebody, and ends the session for both.
    func refresh(_ call: AuthCall) async throws -> AuthAnswer {
        guard let text = try call.text("refresh_token", limit: 256) else {
            throw AuthFault.invalid("refresh_token required")
        }
        guard let secret = secrets[.refreshTokens] else { throw AuthFault.notReady }
        guard let token = RefreshToken.read(text, secret) else { throw AuthFault.refreshTokenNotFound }
        let rows = try await database.query(advancing(token, call))
        if let session = AuthSession(rows), let user = AuthUser(rows, column: AuthSession.columnCount) {
            let pending = try await grant(user, session) { try await self.database.run($0) }
            return try await issue(pending).answer
        }
        switch try await refreshOutOfTurn(token) {
        case .grant(let pending): return try await issue(pending).answer
        case .refusal(let fault, let user):
            await record(AuditEvent("token_revoked", user: user, failure: fault.code), call)
            throw fault
        }
    }

    private enum Outcome: Sendable {
        case grant(PendingGrant)
        case refusal(AuthFault, user: String?)
    }

    /// The common case in one statement: no row when the token is not the newest, or the session is over.
    private func advancing(_ token: RefreshToken, _ call: AuthCall) -> SQL {
        """
        with s as (
            update auth.sessions s
            set refresh_token_counter = s.refresh_token_counter + 1, refreshed_at = now() at time zone 'UTC',
                updated_at = now(), ip = coalesce(\(bind: SQLValue(call.inetAddress))::inet, s.ip),
                user_agent = coalesce(\(bind: SQLValue(call.userAgent)), s.user_agent)
            where s.id = \(bind: token.session)::uuid and s.refresh_token_counter = \(bind: token.counter)
                and s.oauth_client_id is null and \(isAlive) and exists (
                    select from auth.users u where u.id = s.user_id and u.deleted_at is null
                        and (u.banned_until is null or u.banned_until <= now()))
            returning s.*)
        select \(AuthSession.columns), \(AuthUser.columns) from s join auth.users u on u.id = s.user_id
        """
    }

    /// Whether `auth.sessions as s` is within its times.
    var isAlive: SQL {
        """
        (s.not_after is null or s.not_after > now())
        and (\(bind: settings.sessionTimebox)::int = 0
            or s.created_at > now() - make_interval(secs => \(bind: settings.sessionTimebox)))
        and (\(bind: settings.sessionInactivity)::int = 0
            or s.refreshed_at > now() at time zone 'UTC' - make_interval(secs => \(bind: settings.sessionInactivity)))
        """
    }

    private func refreshOutOfTurn(_ token: RefreshToken) async throws -> Outcome {
        try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                select refresh_token_counter, user_id, (\(self.isAlive)),
                    refreshed_at > now() at time zone 'UTC' - make_interval(secs => \(bind: self.settings.reuseInterval)),
                    coalesce(refresh_token_floor, 0)
                from auth.sessions s
                where id = \(bind: token.session)::uuid and oauth_client_id is null for update
                """)
            guard let counter = rows.int(0, 0), let user = rows.string(0, 1) else {
                return .refusal(.refreshTokenNotFound, user: nil)
            }
            let behind = counter - token.counter
            if rows.bool(0, 2) != true {
                try await transaction.query(Self.ending(session: token.session))
                return .refusal(
                    AuthFault(400, "session_expired", "Invalid Refresh Token: Session Expired"), user: user)
            }
            guard behind >= 0 else {
                return .refusal(.invalid("Invalid Refresh Token: Not Issued Yet"), user: user)
            }
            // A token from before a second factor was shown is no way to a session that shows it.
            if rows.bool(0, 3) == true, token.counter < rows.int(0, 4) ?? 0 {
                return .refusal(Self.refreshTokenUsed, user: user)
            }
            if behind > 1, rows.bool(0, 3) != true {
                try await transaction.query(Self.ending(session: token.session))
                return .refusal(Self.refreshTokenUsed, user: user)
            }
            return .grant(try await self.grant(session: token.session, in: transaction))
        }
    }

    private static let refreshTokenUsed = AuthFault(
        400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")

    /// Signs one session out.
    static func ending(session: String) -> SQL {
        "delete from auth.sessions where id = \(bind: session)::uuid"
    }

    /// `POST /logout?scope=global|local|others`
    package func signOut(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let ending: SQL
        switch call.query["scope"] {
        case nil, "", "global":
            ending = "delete from auth.sessions where user_id = \(bind: caller.user.id)::uuid"
        case "local": ending = Self.ending(session: caller.session.id)
        case "others": ending = Self.endingOthers(of: caller)
        default: throw AuthFault.invalid("Unsupported logout scope")
        }
        let event = AuditEvent(
            "logout", user: caller.user.id, traits: ["scope": .string(call.query["scope"] ?? "global")])
        try await database.run([ending, recording(event, call)])
        return .noContent
    }

    /// Signs a user out everywhere but here.
    static func endingOthers(of caller: Caller) -> SQL {
        """
        delete from auth.sessions
        where user_id = \(bind: caller.user.id)::uuid and id <> \(bind: caller.session.id)::uuid
        """
    }
}

extension AuthFault {
    static let refreshTokenNotFound = AuthFault(
        400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
}
