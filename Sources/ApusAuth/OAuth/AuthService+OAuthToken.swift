import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

extension AuthService {
    /// `POST /oauth/token` (OAuth 2.1 §3.2)
    package func oauthToken(_ call: OAuthCall) async throws -> AuthAnswer {
        guard settings.oauth.isEnabled else { throw OAuthFault.disabled }
        guard call.isForm else { throw OAuthFault.invalidRequest("Parameters come as a form in the body.") }
        let client = try await authenticatedClient(call)
        let type = try call.parameters.required("grant_type")
        guard ["authorization_code", "refresh_token"].contains(type) else {
            throw OAuthFault("unsupported_grant_type", "There are authorization_code and refresh_token.")
        }
        guard client.grantTypes.contains(type) else {
            throw OAuthFault("unauthorized_client", "The client is not registered for this grant type.")
        }
        return type == "refresh_token" ? try await refresh(client, call) : try await exchange(client, call)
    }

    // MARK: - Codes

    private struct UsedCode: Sendable {
        let authorization: String
        let user: String
        let redirectURI: String
        let scopes: String
        let resource: String?
        let challenge: String
        let nonce: String?
        let assurance: String
        let methods: [String]
    }

    private enum Exchange: Sendable {
        case grant(OAuthGrant, nonce: String?)
        /// Refused; what was done about it stays done.
        case refused(OAuthFault)
    }

    /// A code is good once. When it comes again, somebody else has it, and what was issued for it ends (OAuth 2.1
    /// §4.1.3, ASVS 10.4.2).
    private func exchange(_ client: OAuthClient, _ call: OAuthCall) async throws -> AuthAnswer {
        let code = try call.parameters.required("code")
        let verifier = try call.parameters.required("code_verifier")
        let digest = Self.codeDigest(code)
        let outcome: Exchange = try await database.transaction { transaction in
            guard let used = try await Self.take(code: digest, client.id, in: transaction) else {
                return .refused(try await Self.punishReplay(of: digest, in: transaction))
            }
            if let fault = Self.check(used, verifier: verifier, call.parameters) { return .refused(fault) }
            let session = UUIDText.random()
            try await transaction.run(Self.opening(session, used, client, call.call))
            guard let grant = try await self.oauthGrant(session: session, in: transaction) else {
                return .refused(.invalidGrant("The account cannot be used."))
            }
            return .grant(grant, nonce: used.nonce)
        }
        switch outcome {
        case .grant(let grant, let nonce):
            await record(
                AuditEvent(
                    "oauth_token_issued", user: grant.user.id, traits: ["client_id": .string(client.id)]),
                call.call)
            return try tokens(grant, client: client, nonce: nonce)
        case .refused(let fault):
            await record(
                AuditEvent(
                    "oauth_token_issued", failure: fault.error, traits: ["client_id": .string(client.id)]),
                call.call)
            throw fault
        }
    }

    private static func take(
        code: String, _ client: String, in transaction: AuthTransaction
    ) async throws -> UsedCode? {
        let rows = try await transaction.query(
            """
            update auth.oauth_authorizations set used_at = now()
            where authorization_code = \(bind: code) and client_id = \(bind: client)::uuid and status = 'approved'
                and used_at is null and expires_at > now()
            returning id, user_id, redirect_uri, scope, resource, code_challenge, nonce, coalesce(aal::text, 'aal1'),
                methods
            """)
        guard let id = rows.string(0, 0), let user = rows.string(0, 1), let challenge = rows.string(0, 5)
        else {
            return nil
        }
        return UsedCode(
            authorization: id, user: user, redirectURI: rows.string(0, 2) ?? "",
            scopes: rows.string(0, 3) ?? "",
            resource: rows.string(0, 4), challenge: challenge, nonce: rows.string(0, 6),
            assurance: rows.string(0, 7) ?? "aal1",
            methods: (rows.string(0, 8) ?? "").split(separator: " ").map { String($0) })
    }

    private static func punishReplay(
        of code: String, in transaction: AuthTransaction
    ) async throws -> OAuthFault {
        try await transaction.query(
            """
            delete from auth.sessions where id in (
                select session_id from auth.oauth_authorizations
                where authorization_code = \(bind: code) and used_at is not null)
            """)
        return .invalidGrant("The code is not there, was used before, or came too late.")
    }

    private static func check(
        _ used: UsedCode, verifier: String, _ parameters: OAuthParameters
    ) -> OAuthFault? {
        if let redirect = parameters["redirect_uri"], redirect != used.redirectURI {
            return .invalidGrant("redirect_uri is another than at the authorization endpoint.")
        }
        guard (43...128).contains(verifier.utf8.count) else {
            return .invalidGrant("code_verifier must be of 43 to 128 characters.")
        }
        let challenge = Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8))))
        guard ConstantTime.equal(challenge.utf8, used.challenge.utf8) else {
            return .invalidGrant("code_verifier does not fit the code_challenge.")
        }
        if let resource = parameters["resource"], resource != used.resource {
            return OAuthFault("invalid_target", "The code is for another resource.")
        }
        return nil
    }

    private static func opening(
        _ session: String, _ used: UsedCode, _ client: OAuthClient, _ call: AuthCall
    ) -> [SQL] {
        var statements: [SQL] = [
            """
            insert into auth.sessions (id, user_id, created_at, updated_at, refreshed_at, aal, user_agent, ip,
                refresh_token_counter, oauth_client_id, scopes, oauth_resource, oauth_auth_time)
            select \(bind: session)::uuid, a.user_id, now(), now(), now() at time zone 'UTC',
                \(bind: used.assurance)::auth.aal_level, \(bind: SQLValue(call.userAgent)),
                \(bind: SQLValue(call.inetAddress))::inet, 0, \(bind: client.id)::uuid, a.scope, a.resource, a.auth_time
            from auth.oauth_authorizations a where a.id = \(bind: used.authorization)::uuid
            """,
            """
            update auth.oauth_authorizations set session_id = \(bind: session)::uuid
            where id = \(bind: used.authorization)::uuid
            """,
        ]
        for method in used.methods {
            statements.append(
                """
                insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
                values (gen_random_uuid(), \(bind: session)::uuid, now(), now(), \(bind: method))
                """)
        }
        return statements
    }

    // MARK: - Refresh tokens

    /// Each is good once. The one before the newest gives the newest again for a few seconds, for whom the answer did
    /// not reach; an older one was stolen, and ends the session (OAuth 2.1 §4.3.1, ASVS 10.4.5).
    private func refresh(_ client: OAuthClient, _ call: OAuthCall) async throws -> AuthAnswer {
        guard let secret = secrets[.refreshTokens] else { throw AuthFault.notReady }
        guard let token = RefreshToken.read(try call.parameters.required("refresh_token"), secret) else {
            throw Self.refreshRefused
        }
        let grace = settings.oauth.refreshGrace
        let grant: OAuthGrant? = try await database.transaction { transaction in
            let rows = try await transaction.query(
                """
                select refresh_token_counter,
                    refreshed_at > now() at time zone 'UTC' - make_interval(secs => \(bind: grace)::int)
                from auth.sessions
                where id = \(bind: token.session)::uuid and oauth_client_id = \(bind: client.id)::uuid for update
                """)
            guard let counter = rows.int(0, 0) else { return nil }
            if counter == token.counter {
                try await transaction.query(
                    """
                    update auth.sessions set refresh_token_counter = refresh_token_counter + 1, updated_at = now(),
                        refreshed_at = now() at time zone 'UTC'
                    where id = \(bind: token.session)::uuid
                    """)
            } else if counter - token.counter != 1 || rows.bool(0, 1) != true {
                try await transaction.query(Self.ending(session: token.session))
                return nil
            }
            return try await self.oauthGrant(session: token.session, in: transaction)
        }
        guard let grant else {
            await record(
                AuditEvent(
                    "oauth_token_refreshed", failure: "invalid_grant",
                    traits: ["client_id": .string(client.id)]),
                call.call)
            throw Self.refreshRefused
        }
        return try tokens(try narrowed(grant, call.parameters), client: client, nonce: nil)
    }

    private static let refreshRefused = OAuthFault.invalidGrant(
        "The refresh token is not there, was used before, or belongs to another client.")

    /// A client may ask for less than it was granted, for one token (RFC 6749 §6).
    private func narrowed(_ grant: OAuthGrant, _ parameters: OAuthParameters) throws(OAuthFault) -> OAuthGrant
    {
        if let resource = parameters["resource"], resource != grant.resource {
            throw OAuthFault("invalid_target", "The refresh token is for another resource.")
        }
        guard let text = parameters["scope"] else { return grant }
        let scopes = text.split(separator: " ").map { String($0) }
        guard !scopes.isEmpty, Set(scopes).isSubset(of: grant.scopes) else {
            throw OAuthFault("invalid_scope", "The refresh token has not all of these scopes.")
        }
        return OAuthGrant(
            user: grant.user, session: grant.session, clientID: grant.clientID, scopes: scopes,
            resource: grant.resource, authTime: grant.authTime)
    }
}
