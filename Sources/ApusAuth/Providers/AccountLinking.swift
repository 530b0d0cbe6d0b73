import ApusJSON
import ApusPostgres
import ApusSQL

/// Whose account a provider's user is.
///
/// An account is known by provider and subject and by nothing else. The first time, the address decides, and only one
/// that the provider has verified: an account with the same address that was confirmed gets one more identity; one that
/// nobody ever confirmed may have been made by somebody else in wait for the owner, so all that came with it goes
/// (pre-hijacking). An address that is not verified links to nobody.
extension AuthService {
    /// What comes of somebody who came from a provider.
    enum Arrival: Sendable {
        case user(String)
        /// The address must be confirmed by a mail first; it is under way.
        case needsConfirmation
    }

    /// Finds or makes the account, as part of a transaction.
    func arrive(
        _ account: ProviderAccount, of provider: Provider, redirectTo: String, _ call: AuthCall,
        in transaction: AuthTransaction
    ) async throws -> Arrival {
        try await transaction.run(Self.locking(account))
        if let user = AuthUser(try await transaction.query(Self.owner(account))) {
            guard !user.isBanned else { throw AuthFault(403, "user_banned", "User is banned") }
            // Somebody whose first visit ended before the address was confirmed.
            if user.email != nil, user.email == account.email, !user.isEmailConfirmed {
                guard account.isEmailVerified else {
                    try await askToConfirm(user, redirectTo, in: transaction)
                    return .needsConfirmation
                }
                try await transaction.run(Self.clearing(user, account))
            }
            try await transaction.run(Self.returning(user.id, account))
            return .user(user.id)
        }
        guard let email = account.email else {
            guard provider.settings.isEmailOptional else {
                throw AuthFault(
                    422, "email_address_not_provided", "Error getting user email from external provider")
            }
            return .user(try await newcomer(account, email: nil, isConfirmed: false, call, in: transaction))
        }
        let known = AuthUser(try await transaction.query(Users.byEmail(email)))
        if account.isEmailVerified {
            return .user(try await arriveVerified(account, email, known, call, in: transaction))
        }
        return try await arriveUnverified(account, email, known, provider, redirectTo, call, in: transaction)
    }

    /// Adds an identity to somebody who is signed in and asked for it.
    ///
    /// - Throws: `identity_already_exists` when it is anybody's already, also theirs.
    func link(
        _ account: ProviderAccount, to id: String, _ call: AuthCall, in transaction: AuthTransaction
    ) async throws {
        try await transaction.run(Self.locking(account))
        guard AuthUser(try await transaction.query(Self.owner(account))) == nil else {
            throw AuthFault(422, "identity_already_exists", "Identity is already linked to another user")
        }
        guard let user = AuthUser(try await transaction.query(Users.byID(id))), !user.isBanned else {
            throw AuthFault.userNotFound
        }
        try await transaction.run([Self.adding(account, to: id)])
        if user.isAnonymous || user.email == nil {
            try await adopt(account, for: user, in: transaction)
        }
        try await transaction.run([
            Self.refreshingProviders(id),
            recording(
                AuditEvent("identity_linked", user: id, traits: ["provider": .string(account.provider)]), call
            ),
        ])
    }

    // MARK: - Arriving for the first time

    private func arriveVerified(
        _ account: ProviderAccount, _ email: String, _ known: AuthUser?, _ call: AuthCall,
        in transaction: AuthTransaction
    ) async throws -> String {
        guard let known else {
            return try await newcomer(account, email: email, isConfirmed: true, call, in: transaction)
        }
        guard !known.isBanned else { throw AuthFault(403, "user_banned", "User is banned") }
        if !known.isEmailConfirmed { try await transaction.run(Self.clearing(known, account)) }
        try await transaction.run([
            Self.adding(account, to: known.id), Self.refreshingProviders(known.id),
            recording(
                AuditEvent(
                    "identity_linked", user: known.id, traits: ["provider": .string(account.provider)]), call),
        ])
        try await transaction.run(Self.returning(known.id, account))
        return known.id
    }

    /// The address belongs to whoever proves it. Taken by somebody, the newcomer has none here; free, a mail asks.
    private func arriveUnverified(
        _ account: ProviderAccount, _ email: String, _ known: AuthUser?, _ provider: Provider,
        _ redirectTo: String, _ call: AuthCall, in transaction: AuthTransaction
    ) async throws -> Arrival {
        if known != nil || provider.settings.isEmailOptional {
            return .user(try await newcomer(account, email: nil, isConfirmed: false, call, in: transaction))
        }
        let id = try await newcomer(account, email: email, isConfirmed: false, call, in: transaction)
        guard let user = AuthUser(try await transaction.query(Users.byID(id))) else {
            throw AuthFault.unexpected
        }
        try await askToConfirm(user, redirectTo, in: transaction)
        return .needsConfirmation
    }

    private func askToConfirm(
        _ user: AuthUser, _ redirectTo: String, in transaction: AuthTransaction
    ) async throws {
        let errand = OneTimeErrand(
            .signUp, kind: .confirmation, recipient: user.email ?? "", redirectTo: redirectTo)
        try await send(errand, to: user, in: transaction)
    }

    private func newcomer(
        _ account: ProviderAccount, email: String?, isConfirmed: Bool, _ call: AuthCall,
        in transaction: AuthTransaction
    ) async throws -> String {
        guard !settings.isSignUpDisabled else {
            throw AuthFault(422, "signup_disabled", "Signups not allowed for this instance")
        }
        let id = UUIDText.random()
        let app: JSONObject = [
            "provider": .string(account.provider), "providers": .strings([account.provider]),
        ]
        let confirmed: SQL = isConfirmed ? "now()" : "null"
        do throws(PostgresFault) {
            try await transaction.run([
                """
                insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
                    raw_app_meta_data, raw_user_meta_data)
                values ('00000000-0000-0000-0000-000000000000', \(bind: id), 'authenticated', 'authenticated',
                    \(bind: SQLValue(email)), '', \(confirmed), \(bind: app.text)::jsonb,
                    \(bind: account.data.text)::jsonb)
                """,
                Self.adding(account, to: id),
                recording(
                    AuditEvent("user_signedup", user: id, traits: ["provider": .string(account.provider)]),
                    call),
            ])
        } catch {
            throw Self.fault(ofSaving: error)
        }
        try await announce(user: id, call, in: transaction)
        return id
    }

    /// Somebody without an address takes a verified one along, unless it is another's; whoever was anonymous is no more.
    private func adopt(
        _ account: ProviderAccount, for user: AuthUser, in transaction: AuthTransaction
    ) async throws {
        var takes: String?
        if user.email == nil, account.isEmailVerified, let email = account.email,
            AuthUser(try await transaction.query(Users.byEmail(email))) == nil
        {
            takes = email
        }
        try await transaction.run([
            """
            update auth.users
            set email = coalesce(email, \(bind: SQLValue(takes))::text),
                email_confirmed_at = case when \(bind: SQLValue(takes))::text is null then email_confirmed_at
                    else now() end,
                is_anonymous = false, updated_at = now(),
                raw_user_meta_data = \(bind: account.data.text)::jsonb || coalesce(raw_user_meta_data, '{}')
            where id = \(bind: user.id)
            """
        ])
    }

    // MARK: - Statements

    /// First visits of one user of a provider, and of one address, come one after the other.
    private static func locking(_ account: ProviderAccount) -> [SQL] {
        let names = [
            "identity \(account.provider) \(account.subject)", "email \(account.email ?? account.subject)",
        ]
        return names.map { "select pg_advisory_xact_lock(hashtextextended(\(bind: $0), 0))" }
    }

    private static func owner(_ account: ProviderAccount) -> SQL {
        """
        select \(AuthUser.columns) from auth.identities i join auth.users u on u.id = i.user_id
        where i.provider = \(bind: account.provider) and i.provider_id = \(bind: account.subject)
            and u.deleted_at is null
        """
    }

    private static func adding(_ account: ProviderAccount, to user: String) -> SQL {
        AuthIdentity.upsert(
            user: user, provider: account.provider, subject: account.subject, data: account.data.text)
    }

    /// What the provider says now; what the user has said of themselves stays.
    private static func returning(_ user: String, _ account: ProviderAccount) -> [SQL] {
        [
            adding(account, to: user),
            """
            update auth.users set raw_user_meta_data = \(bind: account.data.text)::jsonb
                || coalesce(raw_user_meta_data, '{}'), updated_at = now()
            where id = \(bind: user)
            """,
        ]
    }

    /// An account that nobody confirmed becomes that of the address's proven owner: password, other identities,
    /// factors, sessions, pending links and what was said of the user may be a stranger's.
    private static func clearing(_ user: AuthUser, _ account: ProviderAccount) -> [SQL] {
        [
            """
            delete from auth.identities where user_id = \(bind: user.id)
                and (provider, provider_id) <> (\(bind: account.provider), \(bind: account.subject))
            """,
            "delete from auth.sessions where user_id = \(bind: user.id)",
            "delete from auth.mfa_factors where user_id = \(bind: user.id)",
            "delete from auth.one_time_tokens where user_id = \(bind: user.id)",
            """
            update auth.users set encrypted_password = '', email_confirmed_at = now(), phone = null,
                phone_confirmed_at = null, raw_user_meta_data = \(bind: account.data.text)::jsonb, is_anonymous = false,
                email_change = '', phone_change = '', updated_at = now()
            where id = \(bind: user.id)
            """,
        ]
    }

    /// `app_metadata.provider` and `providers` follow the identities.
    static func refreshingProviders(_ user: String) -> SQL {
        """
        update auth.users u set updated_at = now(),
            raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || (
                select jsonb_build_object('provider', coalesce(
                        (array_agg(i.provider order by i.created_at, i.id))[1], ''),
                    'providers', coalesce(jsonb_agg(distinct i.provider), '[]'))
                from auth.identities i where i.user_id = u.id)
        where u.id = \(bind: user)
        """
    }
}
