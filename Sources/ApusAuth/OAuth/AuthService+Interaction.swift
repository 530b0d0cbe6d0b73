import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

extension AuthService {
    /// `POST /oauth/authorize/continue`: a button of one of the provider's pages.
    ///
    /// The authorization belongs to one browser and cannot be guessed, so nobody else's page can press it.
    package func continueAuthorization(_ call: OAuthCall) async throws -> AuthAnswer {
        guard settings.oauth.isEnabled else { throw OAuthFault.disabled }
        try call.parameters.checkUnique()
        if let origin = call.origin, origin != WebAddress.origin(of: settings.externalURL) {
            return OAuthPages.problem("This form came from another site.", status: 403)
        }
        guard let browser = OAuthBrowser(cookie: call.cookie), let id = call.parameters["authorization_id"],
            let pending = PendingAuthorization(
                try await database.query(PendingAuthorization.waiting(id, browser: browser))),
            let client = try await oauthClient(pending.clientID)
        else {
            return OAuthPages.problem(
                "This request is over, or was begun in another browser. Go back to the application and begin again.",
                status: 400)
        }
        switch call.parameters["action"] {
        case "sign_in": return try await signIn(pending, client, browser, call)
        case "factor": return try await showFactor(pending, client, browser, call)
        case "approve": return try await agree(pending, client, browser, call.call)
        case "switch":
            try await database.query(
                "delete from auth.oauth_browsers where browser = \(bind: browser.digest)")
            return pages.signIn(pending, client, message: nil)
        case "deny":
            let visitor = try await visitor(browser)
            try await deny(pending, user: visitor?.user.id, call.call)
            return refuse(pending, "access_denied", "The person did not agree.")
        default: return OAuthPages.problem("This form is not complete.", status: 400)
        }
    }

    // MARK: - Steps

    private func signIn(
        _ pending: PendingAuthorization, _ client: OAuthClient, _ browser: OAuthBrowser, _ call: OAuthCall
    ) async throws -> AuthAnswer {
        var inner = call.call
        inner.query = ["grant_type": "password"]
        inner.body = [
            "email": call.parameters["email"].map { .string($0) } ?? .null,
            "password": call.parameters["password"].map { .string($0) } ?? .null,
        ]
        let session: String
        do {
            session = try Self.session(of: try await token(inner, nil))
        } catch let fault as AuthFault where fault.status < 500 {
            return pages.signIn(pending, client, message: fault.message)
        }
        // A new cookie with the new identity, so that one that somebody planted is worth nothing.
        let new = OAuthBrowser()
        try await database.run([
            """
            delete from auth.sessions s using auth.oauth_browsers b
            where b.session_id = s.id and b.browser = \(bind: browser.digest)
            """,
            "delete from auth.oauth_browsers where browser = \(bind: browser.digest)",
            """
            insert into auth.oauth_browsers (browser, session_id)
            values (\(bind: new.digest), \(bind: session)::uuid)
            """,
            """
            update auth.oauth_authorizations set browser = \(bind: new.digest)
            where authorization_id = \(bind: pending.id) and status = 'pending'
            """,
        ])
        var answer = try await goOn(pending, client, browser: new, isSilent: false)
        answer.fields.append(new.setCookie(isSecure: isOAuthSecure))
        return answer
    }

    private func showFactor(
        _ pending: PendingAuthorization, _ client: OAuthClient, _ browser: OAuthBrowser, _ call: OAuthCall
    ) async throws -> AuthAnswer {
        guard let visitor = try await visitor(browser) else {
            return pages.signIn(pending, client, message: nil)
        }
        do {
            try await prove(visitor.caller, code: call.parameters["code"] ?? "", call.call)
        } catch let fault as AuthFault where fault.status < 500 {
            return pages.factor(pending, client, message: fault.message)
        }
        return try await goOn(pending, client, browser: browser, isSilent: false)
    }

    private func agree(
        _ pending: PendingAuthorization, _ client: OAuthClient, _ browser: OAuthBrowser, _ call: AuthCall
    ) async throws -> AuthAnswer {
        guard let visitor = try await visitor(browser), !pending.needsSignIn(visitor) else {
            return try await goOn(pending, client, browser: browser, isSilent: false)
        }
        return .redirect(try await consented(pending, visitor, call))
    }

    // MARK: - Parts

    /// Remembers that a user agreed, to these scopes beside those of before.
    static func consenting(user: String, client: String, scopes: [String]) -> SQL {
        let text = scopes.joined(separator: " ")
        return """
            insert into auth.oauth_consents as c (id, user_id, client_id, scopes)
            values (gen_random_uuid(), \(bind: user)::uuid, \(bind: client)::uuid, \(bind: text))
            on conflict (user_id, client_id) do update set granted_at = now(), revoked_at = null,
                scopes = case when c.revoked_at is not null then excluded.scopes else (
                    select string_agg(distinct s, ' ')
                    from unnest(string_to_array(c.scopes || ' ' || excluded.scopes, ' ')) s) end
            """
    }

    /// The session that a sign-in opened.
    private static func session(of answer: AuthAnswer) throws -> String {
        guard case .json(.object(let body)) = answer.body, let token = body["access_token"]?.text,
            let payload = token.split(separator: ".").dropFirst().first,
            let claims = Base64URL.decode(payload.utf8).flatMap({ try? JSONReader.read($0).object }),
            let session = claims["session_id"]?.text.flatMap({ UUIDText.read($0) })
        else { throw AuthFault.unexpected }
        return session
    }

    /// Proves a second factor with a code of an authenticator app or a recovery code.
    ///
    /// - Throws: 422 for a code that does not hold, 429 after many of them.
    private func prove(_ caller: Caller, code: String, _ call: AuthCall) async throws {
        let method = (RecoveryCode(code) == nil ? AuthFactor.Kind.totp : .recoveryCode).method
        try await auditingRefusals(of: Self.verification(by: method, caller), call) {
            try await show(code, of: caller, call)
        }
    }

    private func show(_ code: String, of caller: Caller, _ call: AuthCall) async throws {
        try await takeFactorAttempt(user: caller.user.id)
        if let recovery = RecoveryCode(code) {
            return try await database.transaction { transaction in
                guard let factor = try await self.spend(recovery, user: caller.user.id, in: transaction)
                else {
                    throw AuthFault.wrongFactor("Invalid recovery code entered")
                }
                _ = try await self.strengthen(
                    caller, by: AuthFactor.Kind.recoveryCode.method, factor: factor, isNew: false, call,
                    in: transaction)
            }
        }
        let rows = try await database.query(
            """
            select \(AuthFactor.columns) from auth.mfa_factors f
            where f.user_id = \(bind: caller.user.id)::uuid and f.factor_type = 'totp' and f.status = 'verified'
            """)
        for factor in (0..<rows.count).compactMap({ AuthFactor(rows, row: $0) }) {
            let wrong = AuthFault.wrongFactor("Invalid TOTP code entered")
            let step: Int64
            do {
                step = try await judged(factor.kind, factor.id, caller) {
                    guard
                        let step = try openSeed(of: factor).step(of: code, at: now(), after: factor.lastStep)
                    else { throw wrong }
                    return step
                }
            } catch let fault as AuthFault where fault == wrong {
                continue
            }
            return try await database.transaction { transaction in
                try await self.spend(step: step, of: factor, in: transaction)
                _ = try await self.strengthen(
                    caller, by: factor.kind.method, factor: factor.id, isNew: false, call, in: transaction)
            }
        }
        throw AuthFault.wrongFactor("Invalid TOTP code entered")
    }
}
