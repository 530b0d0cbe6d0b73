import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

extension AuthService {
    /// `GET` and `POST /oauth/authorize`: sends the person to sign in and agree, or straight back.
    ///
    /// Until the client and its address are known to belong together, errors are shown and never sent anywhere
    /// (RFC 6749 §4.1.2.1).
    package func authorize(_ call: OAuthCall) async throws -> AuthAnswer {
        guard settings.oauth.isEnabled else { throw OAuthFault.disabled }
        try await takeTry("oauth authorize", 300, of: call.call)
        guard let client = try await oauthClient(call.parameters["client_id"]) else {
            return OAuthPages.problem("This application is not known here.", status: 400)
        }
        guard let redirect = call.parameters["redirect_uri"],
            RedirectURI.isRegistered(redirect, among: client.redirectURIs)
        else {
            return OAuthPages.problem(
                "This application asks to come back to an address that is not registered for it.", status: 400
            )
        }
        do {
            let request = try AuthorizationRequest(
                call.parameters, client: client, redirectURI: redirect,
                dataResource: settings.oauth.dataResource)
            return try await begin(request, client, call)
        } catch let fault as OAuthFault {
            return .redirect(
                PendingAuthorization.answer(
                    [("error", fault.error), ("error_description", fault.description)], to: redirect,
                    state: call.parameters["state"], issuer: settings.issuer))
        }
    }

    // MARK: - Non public

    private func begin(
        _ request: AuthorizationRequest, _ client: OAuthClient, _ call: OAuthCall
    ) async throws -> AuthAnswer {
        let expected = try request.idTokenHint.map { try subject(ofHint: $0, client) }
        let lifetime = settings.oauth.interactionLifetime
        if !settings.oauth.authorizationPath.isEmpty, !request.prompts.contains(.none) {
            let stored = PendingAuthorization.storing(
                request, client: client, browser: nil, expectedUser: expected, lifetime: lifetime)
            try await database.run(stored.statements)
            return .redirect(
                Self.adding(
                    "authorization_id=" + stored.id,
                    toQueryOf: WebAddress.origin(of: settings.siteURL) + settings.oauth.authorizationPath),
                status: 302)
        }
        let known = OAuthBrowser(cookie: call.cookie)
        let browser = known ?? OAuthBrowser()
        let stored = PendingAuthorization.storing(
            request, client: client, browser: browser, expectedUser: expected, lifetime: lifetime)
        try await database.run(stored.statements)
        guard
            let pending = PendingAuthorization(
                try await database.query(PendingAuthorization.waiting(stored.id, browser: browser)))
        else { throw AuthFault.unexpected }
        var answer = try await goOn(
            pending, client, browser: known, isSilent: request.prompts.contains(.none))
        if known == nil { answer.fields.append(browser.setCookie(isSecure: isOAuthSecure)) }
        return answer
    }

    /// The next thing that an authorization needs: a page, or the way back.
    ///
    /// - Parameter isSilent: nobody may be asked anything (`prompt=none`).
    func goOn(
        _ pending: PendingAuthorization, _ client: OAuthClient, browser: OAuthBrowser?, isSilent: Bool
    ) async throws -> AuthAnswer {
        let visitor = try await visitor(browser)
        guard let visitor, !pending.needsSignIn(visitor) else {
            if isSilent { return refuse(pending, "login_required", "Nobody is signed in who may go on.") }
            if let visitor, visitor.user.hasVerifiedFactor, visitor.session.assurance != "aal2",
                visitor.signedInAt >= pending.createdAt
            {
                return pages.factor(pending, client)
            }
            return pages.signIn(pending, client, message: nil)
        }
        if try await needsConsent(pending, client, visitor) {
            if isSilent { return refuse(pending, "consent_required", "The person has not agreed yet.") }
            return pages.consent(pending, client, user: visitor.user)
        }
        return try await approve(pending, visitor)
    }

    func refuse(_ pending: PendingAuthorization, _ error: String, _ description: String) -> AuthAnswer {
        .redirect(
            pending.answer([("error", error), ("error_description", description)], issuer: settings.issuer))
    }

    func needsConsent(
        _ pending: PendingAuthorization, _ client: OAuthClient, _ visitor: OAuthVisitor
    ) async throws -> Bool {
        if pending.prompts.contains(.consent) { return true }
        if client.skipsConsent { return false }
        let rows = try await database.query(
            """
            select scopes from auth.oauth_consents
            where user_id = \(bind: visitor.user.id)::uuid and client_id = \(bind: client.id)::uuid
                and revoked_at is null
            """)
        let granted = Set((rows.string(0, 0) ?? "").split(separator: " ").map { String($0) })
        return rows.count == 0 || !granted.isSuperset(of: pending.scopes)
    }

    /// Issues the code. One statement takes the authorization, so that of two clicks one counts.
    func approve(_ pending: PendingAuthorization, _ visitor: OAuthVisitor) async throws -> AuthAnswer {
        .redirect(try await approved(pending, visitor))
    }

    /// The way back, with a code.
    func approved(_ pending: PendingAuthorization, _ visitor: OAuthVisitor) async throws -> String {
        let (code, approving) = approval(of: pending, visitor)
        guard try await database.query(approving).count == 1 else { throw AuthFault.authorizationNotFound }
        return pending.answer([("code", code)], issuer: settings.issuer)
    }

    /// The way back, with a code, for somebody who has just agreed. Agreeing counts together with the code or not at all:
    /// of an approval and a refusal at once, the one that came first holds.
    func consented(
        _ pending: PendingAuthorization, _ visitor: OAuthVisitor, _ call: AuthCall
    ) async throws -> String {
        let (code, approving) = approval(of: pending, visitor)
        let (user, client) = (visitor.user.id, pending.clientID)
        let event = AuditEvent(
            "oauth_consent_granted", user: user,
            traits: ["client_id": .string(client), "scope": .string(pending.scopes.joined(separator: " "))])
        try await database.transaction { transaction in
            guard try await transaction.query(approving).count == 1 else {
                throw AuthFault.authorizationNotFound
            }
            try await transaction.run([
                Self.consenting(user: user, client: client, scopes: pending.scopes),
                self.recording(event, call),
            ])
        }
        return pending.answer([("code", code)], issuer: settings.issuer)
    }

    /// The person does not agree.
    ///
    /// - Throws: when somebody has decided already.
    func deny(_ pending: PendingAuthorization, user: String?, _ call: AuthCall) async throws {
        let event = AuditEvent(
            "oauth_consent_denied", user: user, traits: ["client_id": .string(pending.clientID)])
        try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                update auth.oauth_authorizations set status = 'denied', user_id = \(bind: SQLValue(user))::uuid
                where authorization_id = \(bind: pending.id) and status = 'pending' returning id
                """)
            guard rows.count == 1 else { throw AuthFault.authorizationNotFound }
            try await transaction.query(self.recording(event, call))
        }
    }

    /// A code, and the statement that gives it out: a row when it did.
    private func approval(of pending: PendingAuthorization, _ visitor: OAuthVisitor) -> (String, SQL) {
        let code = Base64URL.encode(RandomBytes.make(32))
        let methods = visitor.session.methods.map(\.name).joined(separator: " ")
        return (
            code,
            """
            update auth.oauth_authorizations set status = 'approved', user_id = \(bind: visitor.user.id)::uuid,
                authorization_code = \(bind: Self.codeDigest(code)), approved_at = now(),
                expires_at = now() + make_interval(secs => \(bind: settings.oauth.codeLifetime)::int),
                auth_time = to_timestamp(\(bind: visitor.signedInAt)::bigint / 1000000.0),
                aal = \(bind: visitor.session.assurance)::auth.aal_level, methods = \(bind: methods)
            where authorization_id = \(bind: pending.id) and status = 'pending' and expires_at > now()
            returning id
            """
        )
    }

    static func codeDigest(_ code: String) -> String {
        Hexadecimal.encode(SHA256.hash(data: Array(code.utf8)))
    }

    /// Who an ID token that was issued here is about. It may be old: it is a hint.
    private func subject(ofHint token: String, _ client: OAuthClient) throws(OAuthFault) -> String {
        guard let claims = trust.claims(ofSigned: token), claims["iss"]?.text == settings.issuer,
            claims["aud"]?.text == client.id, let subject = claims["sub"]?.text.flatMap({ UUIDText.read($0) })
        else { throw .invalidRequest("id_token_hint is no ID token for this client.") }
        return subject
    }
}

extension AuthFault {
    static let authorizationNotFound = AuthFault(
        404, "oauth_authorization_not_found", "The authorization is not there, or no longer waits")
}
