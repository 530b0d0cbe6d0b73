import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

/// What became of tokens: revocation, introspection, userinfo.
extension AuthService {
    /// `POST /oauth/revoke` (RFC 7009): ends the whole grant, whichever of its tokens it was. The answer is the same for
    /// what is no token.
    package func revokeToken(_ call: OAuthCall) async throws -> AuthAnswer {
        guard settings.oauth.isEnabled else { throw OAuthFault.disabled }
        guard call.isForm else { throw OAuthFault.invalidRequest("Parameters come as a form in the body.") }
        let client = try await authenticatedClient(call)
        if let session = session(ofToken: try call.parameters.required("token")) {
            try await database.run([
                """
                delete from auth.sessions
                where id = \(bind: session)::uuid and oauth_client_id = \(bind: client.id)::uuid
                """,
                recording(
                    AuditEvent("oauth_token_revoked", traits: ["client_id": .string(client.id)]), call.call),
            ])
        }
        return AuthAnswer(status: 200)
    }

    /// `POST /oauth/introspect` (RFC 7662): for confidential clients, about their own tokens and about those that were
    /// made for a resource of theirs.
    package func introspectToken(_ call: OAuthCall) async throws -> AuthAnswer {
        guard settings.oauth.isEnabled else { throw OAuthFault.disabled }
        guard call.isForm else { throw OAuthFault.invalidRequest("Parameters come as a form in the body.") }
        let client = try await authenticatedClient(call)
        guard !client.isPublic else { throw OAuthFault.invalidClient }
        let text = try call.parameters.required("token")
        let inactive = AuthAnswer.json(["active": false])
        guard let session = session(ofToken: text), let grant = try await oauthGrant(session: session) else {
            return inactive
        }
        guard grant.clientID == client.id || grant.resource.map({ client.resources.contains($0) }) == true
        else {
            return inactive
        }
        var body: JSONObject = [
            "active": true, "client_id": .string(grant.clientID), "sub": .string(grant.user.id),
            "iss": .string(settings.issuer),
        ]
        if let claims = accessClaims(text) {
            for name in ["scope", "aud", "exp", "iat", "jti"] { body[name] = claims[name] }
            body["token_type"] = "Bearer"
        } else {
            // A refresh token that was exchanged says nothing any more.
            guard let secret = secrets[.refreshTokens], let token = RefreshToken.read(text, secret),
                token.counter == grant.session.counter, grant.clientID == client.id
            else { return inactive }
            body["scope"] = .string(grant.scopes.joined(separator: " "))
            body["token_type"] = "refresh_token"
        }
        return .json(.object(body))
    }

    /// `GET` and `POST /oauth/userinfo` (OpenID Connect Core §5.3)
    package func userInfo(_ call: OAuthCall) async throws -> AuthAnswer {
        guard settings.oauth.isEnabled else { throw OAuthFault.disabled }
        try call.parameters.checkUnique()
        let header = call.authorization.flatMap { BearerToken.inAuthorization($0) }.map { String($0) }
        let form = call.isForm ? call.parameters["access_token"] : nil
        guard header == nil || form == nil else {
            throw OAuthFault(
                "invalid_request", "The token comes in one place.", status: 400,
                challenge: #"Bearer error="invalid_request""#)
        }
        guard let token = header ?? form else { throw OAuthFault.tokenRequired }
        guard let claims = accessClaims(token), claims["aud"]?.text == settings.issuer,
            let session = claims["session_id"]?.text.flatMap({ UUIDText.read($0) }),
            let grant = try await oauthGrant(session: session)
        else { throw OAuthFault.invalidToken }
        // The token's own scopes, which may be fewer than the grant's.
        let scopes = (claims["scope"]?.text ?? "").split(separator: " ").map { String($0) }
        guard scopes.contains("openid") else { throw OAuthFault.insufficientScope }
        let shown = OAuthGrant(
            user: grant.user, session: grant.session, clientID: grant.clientID, scopes: scopes,
            resource: grant.resource, authTime: grant.authTime)
        return .json(.object(shown.userInfo))
    }

    // MARK: - Non public

    /// The claims of an access token of ours that still holds.
    private func accessClaims(_ token: String) -> JSONObject? {
        guard let claims = trust.claims(ofSigned: token, type: "at+jwt"),
            claims["iss"]?.text == settings.issuer,
            case .number(let text)? = claims["exp"], let end = Int64(text), end > now()
        else { return nil }
        return claims
    }

    /// The session of an access token or a refresh token.
    private func session(ofToken text: String) -> String? {
        if let claims = accessClaims(text) { return claims["session_id"]?.text.flatMap { UUIDText.read($0) } }
        guard let secret = secrets[.refreshTokens] else { return nil }
        return RefreshToken.read(text, secret)?.session
    }
}
