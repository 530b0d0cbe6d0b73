import ApusFaults
import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

/// A client's access to somebody's account, as tokens say it.
struct OAuthGrant: Sendable {
    let user: AuthUser
    let session: AuthSession
    let clientID: String
    let scopes: [String]
    let resource: String?
    /// Seconds since 1970.
    let authTime: Int

    /// Whether the tokens are for the provider itself (userinfo).
    func audience(issuer: String) -> String { resource ?? issuer }

    /// The claims of an access token (RFC 9068 §2.2). Only one for the data API says a role: with any other, the data
    /// API knows nobody.
    func accessClaims(issuer: String, dataResource: String, now: Int, lifetime: Int) -> JSONObject {
        var claims: JSONObject = [
            "iss": .string(issuer), "sub": .string(user.id), "aud": .string(audience(issuer: issuer)),
            "exp": .int(now + lifetime), "iat": .int(now), "jti": .string(UUIDText.random()),
            "client_id": .string(clientID), "scope": .string(scopes.joined(separator: " ")),
            "session_id": .string(session.id), "auth_time": .int(authTime), "acr": .string(session.assurance),
            "amr": .strings(session.methods.map(\.name)),
        ]
        if let resource, resource == dataResource {
            claims["role"] = .string(user.role)
            claims["aal"] = .string(session.assurance)
            claims["app_metadata"] = .object(user.appMetadata)
            claims["is_anonymous"] = .bool(user.isAnonymous)
            if scopes.contains("email") { claims["email"] = .string(user.email ?? "") }
            if scopes.contains("phone") { claims["phone"] = .string(user.phone ?? "") }
        }
        return claims
    }

    /// The claims of an ID token (OpenID Connect Core §2).
    func idClaims(issuer: String, nonce: String?, accessToken: String, now: Int, lifetime: Int) -> JSONObject
    {
        // §3.1.3.6: the left half of the digest that goes with ES256.
        let hash = Array(SHA256.hash(data: Array(accessToken.utf8)).prefix(16))
        var claims: JSONObject = [
            "iss": .string(issuer), "sub": .string(user.id), "aud": .string(clientID),
            "exp": .int(now + lifetime),
            "iat": .int(now), "auth_time": .int(authTime), "at_hash": .string(Base64URL.encode(hash)),
            "acr": .string(session.assurance), "amr": .strings(session.methods.map(\.name)),
            "sid": .string(session.id),
        ]
        if let nonce { claims["nonce"] = .string(nonce) }
        return claims
    }

    /// What the userinfo endpoint says (OpenID Connect Core §5.4), by scope.
    var userInfo: JSONObject {
        var claims: JSONObject = ["sub": .string(user.id)]
        if scopes.contains("profile") {
            let known = user.userMetadata
            func text(_ name: String, _ sources: String...) {
                if let value = sources.lazy.compactMap({ known[$0]?.text }).first(where: { !$0.isEmpty }) {
                    claims[name] = .string(value)
                }
            }
            text("name", "name", "full_name")
            text("given_name", "given_name", "first_name")
            text("family_name", "family_name", "last_name")
            text("middle_name", "middle_name")
            text("nickname", "nickname", "user_name")
            text("preferred_username", "preferred_username", "user_name")
            text("profile", "profile")
            text("picture", "picture", "avatar_url")
            text("website", "website")
            text("gender", "gender")
            text("birthdate", "birthdate")
            text("zoneinfo", "zoneinfo")
            text("locale", "locale")
        }
        if scopes.contains("email"), let email = user.email {
            claims["email"] = .string(email)
            claims["email_verified"] = .bool(user.isEmailConfirmed)
        }
        if scopes.contains("phone"), let phone = user.phone {
            claims["phone_number"] = .string("+" + phone)
            claims["phone_number_verified"] = .bool(user.isPhoneConfirmed)
        }
        if scopes.contains("address"), let address = user.userMetadata["address"]?.object {
            claims["address"] = .object(address)
        }
        return claims
    }
}

extension AuthService {
    /// The token response (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
    func tokens(_ grant: OAuthGrant, client: OAuthClient, nonce: String?) throws -> AuthAnswer {
        guard let signer = keys.ringSigner, let secret = secrets[.refreshTokens] else {
            throw AuthFault.notReady
        }
        let now = Int(now())
        let lifetime = settings.tokenLifetime
        let access = try signer.sign(
            JSONValue.object(
                grant.accessClaims(
                    issuer: settings.issuer, dataResource: settings.oauth.dataResource, now: now,
                    lifetime: lifetime)
            ).bytes, type: "at+jwt")
        var body: JSONObject = [
            "access_token": .string(access), "token_type": "Bearer", "expires_in": .int(lifetime),
            "scope": .string(grant.scopes.joined(separator: " ")),
        ]
        if client.grantTypes.contains("refresh_token") {
            body["refresh_token"] = .string(
                RefreshToken(session: grant.session.id, counter: grant.session.counter).text(secret))
        }
        if grant.scopes.contains("openid") {
            let claims = grant.idClaims(
                issuer: settings.issuer, nonce: nonce, accessToken: access, now: now, lifetime: lifetime)
            body["id_token"] = .string(try signer.sign(JSONValue.object(claims).bytes))
        }
        var answer = AuthAnswer.json(.object(body))
        answer.fields.append(HeaderField("Pragma", "no-cache"))
        return answer
    }

    /// The grant of a client's session; nil when it is over.
    func oauthGrant(session: String, in transaction: AuthTransaction? = nil) async throws -> OAuthGrant? {
        let statement: SQL =
            """
            select \(AuthSession.columns), \(AuthUser.columns), coalesce(s.scopes, ''), s.oauth_resource,
                floor(extract(epoch from coalesce(s.oauth_auth_time, s.created_at)))::bigint
            from auth.sessions s join auth.users u on u.id = s.user_id
            join auth.oauth_clients c on c.id = s.oauth_client_id
            where s.id = \(bind: session)::uuid and u.deleted_at is null and c.deleted_at is null and \(isAlive)
            """
        let rows =
            if let transaction { try await transaction.query(statement) } else {
                try await database.query(statement)
            }
        let first = AuthSession.columnCount + AuthUser.columnCount
        guard let session = AuthSession(rows), let user = AuthUser(rows, column: AuthSession.columnCount),
            !user.isBanned, let client = session.clientID
        else { return nil }
        return OAuthGrant(
            user: user, session: session, clientID: client,
            scopes: (rows.string(0, first) ?? "").split(separator: " ").map { String($0) },
            resource: rows.string(0, first + 1), authTime: rows.int(0, first + 2) ?? 0)
    }
}
