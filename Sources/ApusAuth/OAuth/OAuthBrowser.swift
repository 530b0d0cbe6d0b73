import ApusFaults
import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

/// A browser on the provider's own pages: known by a cookie of 256 random bits, of which the digest is kept.
struct OAuthBrowser: Sendable {
    /// The cookie's value.
    let value: String

    init() { value = Base64URL.encode(RandomBytes.make(32)) }

    /// nil for what is no cookie of ours.
    init?(cookie: String?) {
        guard let cookie, let bytes = Base64URL.decode(cookie.utf8), bytes.count == 32 else { return nil }
        value = cookie
    }

    var digest: SQLValue { .binary(Array(SHA256.hash(data: Array(value.utf8))), oid: TypeOID.bytea) }

    /// Sent to pages of this site alone; `__Host-` where there is TLS, so that no neighbour domain can set it
    /// (RFC 6265bis §4.1.3.2).
    static func cookieName(isSecure: Bool) -> String { isSecure ? "__Host-apus-oauth" : "apus-oauth" }

    func setCookie(isSecure: Bool) -> HeaderField {
        HeaderField(
            "Set-Cookie",
            Self.cookieName(isSecure: isSecure) + "=\(value); Path=/; HttpOnly; SameSite=Lax"
                + (isSecure ? "; Secure" : ""))
    }
}

/// Somebody signed in on the provider's pages.
struct OAuthVisitor: Sendable {
    let user: AuthUser
    let session: AuthSession
    /// Microseconds since 1970 when they proved who they are. Not seconds: somebody who signed in in the very second in
    /// which a client asks for a new sign-in did so before it, and an age must not be rounded down to one that is allowed.
    let signedInAt: Int
    /// Microseconds since then. Both by the database's clock, which is one for all nodes.
    let age: Int

    var caller: Caller { Caller(user: user, session: session, claims: [:]) }

    /// ``signedInAt`` and ``age`` of a column.
    static func times(_ column: SQL) -> SQL {
        """
        (extract(epoch from \(column)) * 1000000)::bigint,
        (extract(epoch from clock_timestamp() - \(column)) * 1000000)::bigint
        """
    }
}

extension AuthService {
    /// Whether the provider's address has TLS.
    var isOAuthSecure: Bool { settings.externalURL.hasPrefix("https://") }

    /// Who is signed in with this browser.
    func visitor(_ browser: OAuthBrowser?) async throws -> OAuthVisitor? {
        guard let browser else { return nil }
        let rows = try await database.query(
            """
            select \(AuthSession.columns), \(AuthUser.columns), \(OAuthVisitor.times("b.signed_in_at"))
            from auth.oauth_browsers b join auth.sessions s on s.id = b.session_id join auth.users u on u.id = s.user_id
            where b.browser = \(bind: browser.digest) and u.deleted_at is null and \(isAlive)
            """)
        guard let session = AuthSession(rows), let user = AuthUser(rows, column: AuthSession.columnCount),
            !user.isBanned, let time = rows.int(0, AuthSession.columnCount + AuthUser.columnCount),
            let age = rows.int(0, AuthSession.columnCount + AuthUser.columnCount + 1)
        else { return nil }
        return OAuthVisitor(user: user, session: session, signedInAt: time, age: age)
    }
}

extension AuthService {
    /// The name of the browser's cookie.
    package var oauthCookieName: String { OAuthBrowser.cookieName(isSecure: isOAuthSecure) }
}
