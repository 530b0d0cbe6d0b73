package import ApusJSON
package import ApusPostgres
package import ApusTokens
package import Logging
import Synchronization

/// Authentication: users, their sessions, and what proves who they are.
///
/// A request is a method here that takes an ``AuthCall`` and returns an ``AuthAnswer``; the methods stand in files by
/// what they are about. All state is in PostgreSQL; a node keeps copies of keys, secrets and ended sessions.
package final class AuthService: Sendable {
    package let settings: AuthSettings
    package let database: AuthDatabase
    package let masterKeys: MasterKeys
    package let keys: KeyRing
    package let secrets: SealedSecrets
    package let passwords: PasswordHasher
    /// Where people may be sent.
    package let redirects: RedirectPolicy
    package let trust: TokenTrust
    package let logger: Logger
    /// Puts a message into the queue, within the transaction that makes it necessary.
    package let enqueue: MessageQueue
    /// Has it told that somebody became a user; nil: nobody wants to know.
    let announceUser: UserAnnouncement?
    /// Where people have accounts that they may sign in with.
    package let providers: ProviderDirectory
    package let now: TokenVerifier.Clock
    let firstAttempt = FirstAttempt()
    /// Whether entries of the audit log wait for their links.
    let auditIsBehind = Atomic(true)
    /// Shown by `/health`.
    package let version: String

    package init(_ parts: AuthParts) {
        settings = parts.settings
        database = AuthDatabase(parts.database)
        masterKeys = parts.masterKeys
        trust = parts.trust
        logger = parts.logger
        passwords = parts.passwords
        redirects = RedirectPolicy(siteURL: parts.settings.siteURL, allowed: parts.settings.allowedRedirects)
        enqueue = parts.enqueue
        announceUser = parts.announceUser
        providers = parts.providers
        now = parts.clock
        version = parts.version
        keys = KeyRing(
            database: database, masterKeys: masterKeys, trust: trust, shared: parts.sharedSigner,
            logger: logger)
        secrets = SealedSecrets(database: database, masterKeys: masterKeys)
    }

    // MARK: - Who calls

    /// The user and session of verified claims.
    ///
    /// - Throws: 403 for claims of nobody, and for sessions and users that are gone or banned.
    package func caller(claims: JSONObject) async throws -> Caller {
        guard let session = claims["session_id"]?.text.flatMap(UUIDText.read),
            let subject = claims["sub"]?.text.flatMap(UUIDText.read)
        else { throw AuthFault(403, "bad_jwt", "invalid claim: missing sub claim") }
        let rows = try await database.query(Self.sessionAndUser(session))
        guard let known = AuthSession(rows), let user = AuthUser(rows, column: AuthSession.columnCount),
            user.id == subject
        else { throw AuthFault.sessionNotFound }
        guard !user.isBanned else { throw AuthFault(403, "user_banned", "User is banned") }
        // What a third party's client may do, its scopes say; managing the account is none of them.
        guard known.clientID == nil else {
            throw AuthFault(403, "bad_jwt", "The token is a client's, not the user's")
        }
        return Caller(user: user, session: known, claims: claims)
    }

    /// Whoever holds a service key.
    ///
    /// - Throws: 403 for every other role.
    package func administrator(claims: JSONObject) throws(AuthFault) -> Administrator {
        guard let role = claims["role"]?.text, settings.adminRoles.contains(role), claims["session_id"] == nil
        else { throw .notAdmin }
        return Administrator(role: role, subject: claims["sub"]?.text)
    }
}

/// What an ``AuthService`` is made of.
package struct AuthParts: Sendable {
    package var settings: AuthSettings
    package var database: Database
    package var masterKeys: MasterKeys
    package var trust: TokenTrust
    package var passwords: PasswordHasher
    /// Signs instead of the key ring (HS256).
    package var sharedSigner: TokenSigner?
    package var enqueue: MessageQueue
    package var announceUser: UserAnnouncement?
    package var logger: Logger
    package var providers: ProviderDirectory
    package var clock: TokenVerifier.Clock
    package var version = ""

    package init(
        settings: AuthSettings, database: Database, masterKeys: MasterKeys, trust: TokenTrust,
        passwords: PasswordHasher, sharedSigner: TokenSigner? = nil, enqueue: @escaping MessageQueue,
        providers: ProviderDirectory, logger: Logger,
        clock: @escaping TokenVerifier.Clock = TokenVerifier.systemClock
    ) {
        self.settings = settings
        self.database = database
        self.masterKeys = masterKeys
        self.trust = trust
        self.passwords = passwords
        self.sharedSigner = sharedSigner
        self.enqueue = enqueue
        self.providers = providers
        self.logger = logger
        self.clock = clock
    }
}

extension AuthFault {
    /// Keys were not read yet.
    package static let notReady = AuthFault(503, "unexpected_failure", "Authentication is starting")
}
