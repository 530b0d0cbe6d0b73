import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

/// An authorization that waits for a person, as it is kept.
struct PendingAuthorization: Sendable {
    /// What pages and applications call it; 256 random bits.
    let id: String
    let clientID: String
    let redirectURI: String
    let state: String?
    let scopes: [String]
    let prompts: Set<AuthorizationRequest.Prompt>
    let maxAge: Int?
    let loginHint: String?
    /// The user that an ID token named.
    let expectedUser: String?
    /// Microseconds since 1970, by the database's clock.
    let createdAt: Int

    static let columns: SQL =
        """
        a.authorization_id, a.client_id, a.redirect_uri, a.state, a.scope, a.prompt, a.max_age, a.login_hint,
        a.expected_user, (extract(epoch from a.created_at) * 1000000)::bigint
        """

    init?(_ rows: Rows) {
        guard let id = rows.string(0, 0), let client = rows.string(0, 1), let redirect = rows.string(0, 2)
        else {
            return nil
        }
        self.id = id
        clientID = client
        redirectURI = redirect
        state = rows.string(0, 3)
        scopes = (rows.string(0, 4) ?? "").split(separator: " ").map { String($0) }
        prompts = Set(
            (rows.string(0, 5) ?? "").split(separator: " ").compactMap {
                AuthorizationRequest.Prompt(rawValue: String($0))
            })
        maxAge = rows.int(0, 6)
        loginHint = rows.string(0, 7)
        expectedUser = rows.string(0, 8)
        createdAt = rows.int(0, 9) ?? 0
    }

    /// Keeps a request, for one browser; nil: for an application's page, where a token says who it is.
    static func storing(
        _ request: AuthorizationRequest, client: OAuthClient, browser: OAuthBrowser?, expectedUser: String?,
        lifetime: Int
    ) -> (id: String, statements: [SQL]) {
        let id = Base64URL.encode(RandomBytes.make(32))
        let prompts = request.prompts.map(\.rawValue).joined(separator: " ")
        let maxAge = request.maxAge.map { String($0) }
        return (
            id,
            [
                """
                delete from auth.oauth_authorizations where id in (
                    select id from auth.oauth_authorizations where expires_at < now() - interval '1 day' limit 20
                    for update skip locked)
                """,
                """
                insert into auth.oauth_authorizations (id, authorization_id, client_id, redirect_uri, scope, state,
                    resource, code_challenge, code_challenge_method, nonce, expires_at, browser, prompt, max_age,
                    login_hint, expected_user)
                values (gen_random_uuid(), \(bind: id), \(bind: client.id)::uuid, \(bind: request.redirectURI),
                    \(bind: request.scopes.joined(separator: " ")), \(bind: SQLValue(request.state)),
                    \(bind: SQLValue(request.resource)), \(bind: request.challenge), 's256',
                    \(bind: SQLValue(request.nonce)), now() + make_interval(secs => \(bind: lifetime)::int),
                    \(bind: browser?.digest ?? .null)::bytea, \(bind: prompts), \(bind: SQLValue(maxAge))::int,
                    \(bind: SQLValue(request.loginHint)), \(bind: SQLValue(expectedUser))::uuid)
                """,
            ]
        )
    }

    /// One that still waits: in this browser, or, without one, on an application's page.
    static func waiting(_ id: String, browser: OAuthBrowser?) -> SQL {
        """
        select \(columns) from auth.oauth_authorizations a
        where a.authorization_id = \(bind: id) and a.status = 'pending' and a.expires_at > now()
            and a.browser is not distinct from \(bind: browser?.digest ?? .null)::bytea
        """
    }

    /// Whether somebody has to sign in (again) before it goes on.
    func needsSignIn(_ visitor: OAuthVisitor?) -> Bool {
        guard let visitor else { return true }
        if let expectedUser, expectedUser != visitor.user.id { return true }
        // Whoever has a second factor shows it here too (ASVS 6.3.4).
        if visitor.user.hasVerifiedFactor, visitor.session.assurance != "aal2" { return true }
        if visitor.user.isAnonymous { return true }
        if prompts.contains(.login) || prompts.contains(.selectAccount), visitor.signedInAt < createdAt {
            return true
        }
        // What happened after the request came is recent enough for any age.
        if let maxAge, visitor.age > maxAge * 1_000_000, visitor.signedInAt < createdAt { return true }
        return false
    }

    /// The address that the person is sent back to, with `iss` (RFC 9207).
    func answer(_ pairs: [(String, String)], issuer: String) -> String {
        Self.answer(pairs, to: redirectURI, state: state, issuer: issuer)
    }

    static func answer(_ pairs: [(String, String)], to uri: String, state: String?, issuer: String) -> String
    {
        AuthService.adding(
            PercentEncoding.form(pairs + (state.map { [("state", $0)] } ?? []) + [("iss", issuer)]),
            toQueryOf: uri)
    }
}
