import ApusJSON
import ApusPostgres
import ApusSQL

/// For applications that show the pages of sign-in and consent themselves, and for people who look at what they allowed.
extension AuthService {
    /// `GET /oauth/authorizations/:authorization_id`
    package func authorization(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let (pending, client) = try await waitingAuthorization(call)
        let visitor = try await visitor(caller, pending)
        if try await !needsConsent(pending, client, visitor) {
            return .json(["redirect_url": .string(try await approved(pending, visitor))])
        }
        return .json([
            "authorization_id": .string(pending.id), "redirect_uri": .string(pending.redirectURI),
            "client": .object(Self.shown(client)),
            "user": ["id": .string(caller.user.id), "email": .string(caller.user.email ?? "")],
            "scope": .string(pending.scopes.joined(separator: " ")),
        ])
    }

    /// `POST /oauth/authorizations/:authorization_id/consent`
    package func decideAuthorization(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        let (pending, _) = try await waitingAuthorization(call)
        let visitor = try await visitor(caller, pending)
        switch try call.text("action") {
        case "approve":
            return .json(["redirect_url": .string(try await consented(pending, visitor, call))])
        case "deny":
            try await deny(pending, user: caller.user.id, call)
            let pairs = [("error", "access_denied"), ("error_description", "The person did not agree.")]
            return .json(["redirect_url": .string(pending.answer(pairs, issuer: settings.issuer))])
        default: throw AuthFault.invalid("action must be approve or deny")
        }
    }

    /// `GET /user/oauth/grants`
    package func oauthGrants(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try requireOAuth()
        let rows = try await database.query(
            """
            select jsonb_build_object(
                'client', jsonb_strip_nulls(jsonb_build_object('id', c.id, 'name', c.client_name, 'uri', c.client_uri,
                    'logo_uri', c.logo_uri)),
                'scopes', to_jsonb(string_to_array(g.scopes, ' ')), 'granted_at', \(AuthUser.time("g.granted_at")))
            from auth.oauth_consents g join auth.oauth_clients c on c.id = g.client_id
            where g.user_id = \(bind: caller.user.id)::uuid and g.revoked_at is null and c.deleted_at is null
            order by g.granted_at desc
            """)
        return .json(
            .array(
                (0..<rows.count).compactMap {
                    rows.string($0, 0).flatMap { try? JSONReader.read(Array($0.utf8)) }
                }))
    }

    /// `DELETE /user/oauth/grants?client_id=`: takes the consent back and ends the client's sessions.
    package func revokeOAuthGrant(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try requireOAuth()
        guard let client = call.query["client_id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault.invalid("client_id must be a UUID")
        }
        let answers = try await database.run([
            """
            update auth.oauth_consents set revoked_at = now()
            where user_id = \(bind: caller.user.id)::uuid and client_id = \(bind: client)::uuid and revoked_at is null
            returning id
            """,
            """
            delete from auth.sessions
            where user_id = \(bind: caller.user.id)::uuid and oauth_client_id = \(bind: client)::uuid
            """,
            recording(
                AuditEvent(
                    "oauth_grant_revoked", user: caller.user.id, traits: ["client_id": .string(client)]), call
            ),
        ])
        guard answers.first?.count == 1 else {
            throw AuthFault(404, "oauth_consent_not_found", "There is no grant for this client")
        }
        return .noContent
    }

    // MARK: - Non public

    private func waitingAuthorization(
        _ call: AuthCall
    ) async throws -> (PendingAuthorization, OAuthClient) {
        try requireOAuth()
        guard let id = call.path["authorization_id"],
            let pending = PendingAuthorization(
                try await database.query(PendingAuthorization.waiting(id, browser: nil))),
            let client = try await oauthClient(pending.clientID)
        else { throw AuthFault.authorizationNotFound }
        return (pending, client)
    }

    /// The caller, when what the client asked for about signing in holds for their session.
    private func visitor(
        _ caller: Caller, _ pending: PendingAuthorization
    ) async throws -> OAuthVisitor {
        let rows = try await database.query(
            """
            select \(OAuthVisitor.times("max(updated_at)")) from auth.mfa_amr_claims
            where session_id = \(bind: caller.session.id)::uuid
            """)
        let visitor = OAuthVisitor(
            user: caller.user, session: caller.session, signedInAt: rows.int(0, 0) ?? 0,
            age: rows.int(0, 1) ?? .max)
        guard !pending.needsSignIn(visitor) else {
            throw AuthFault(401, "reauthentication_needed", "The application asks for a new sign-in")
        }
        return visitor
    }

    private static func shown(_ client: OAuthClient) -> JSONObject {
        var json: JSONObject = ["id": .string(client.id), "name": .string(client.name)]
        if let uri = client.uri { json["uri"] = .string(uri) }
        if let logo = client.logo { json["logo_uri"] = .string(logo) }
        return json
    }
}
