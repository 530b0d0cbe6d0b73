package import ApusPostgres
package import ApusSQL

/// Somebody signed in on one device.
package struct AuthSession: Sendable {
    /// UUID, lower case; `session_id` of its tokens.
    package let id: String
    package let userID: String
    /// `aal1` or `aal2`.
    package let assurance: String
    /// Methods by which it was opened and strengthened, newest first: what `amr` says.
    package let methods: [Method]
    /// How often its refresh token was exchanged.
    package let counter: Int
    /// Set for sessions of a third party's client.
    package let clientID: String?

    package struct Method: Sendable, Equatable {
        /// `password`, `otp`, `totp`…
        package let name: String
        /// Seconds since 1970.
        package let time: Int

        package init(name: String, time: Int) {
            self.name = name
            self.time = time
        }
    }

    package init(
        id: String, userID: String, assurance: String, methods: [Method], counter: Int,
        clientID: String? = nil
    ) {
        self.id = id
        self.userID = userID
        self.assurance = assurance
        self.methods = methods
        self.counter = counter
        self.clientID = clientID
    }

    // MARK: - Reading

    /// Number of columns that ``columns`` selects.
    package static let columnCount = 6

    /// What to select from `auth.sessions as s`.
    package static let columns: SQL =
        """
        s.id, s.user_id, coalesce(s.aal::text, 'aal1'), coalesce(s.refresh_token_counter, 0), s.oauth_client_id,
        (select string_agg(m.authentication_method || ' ' || floor(extract(epoch from m.updated_at))::bigint, ','
            order by m.updated_at desc) from auth.mfa_amr_claims m where m.session_id = s.id)
        """

    /// A session from a row of ``columns``, the first of them at `column`.
    package init?(_ rows: Rows, row: Int = 0, column: Int = 0) {
        guard row < rows.count, let id = rows.string(row, column), let user = rows.string(row, column + 1)
        else { return nil }
        self.id = id
        userID = user
        assurance = rows.string(row, column + 2) ?? "aal1"
        counter = rows.int(row, column + 3) ?? 0
        clientID = rows.string(row, column + 4)
        methods = (rows.string(row, column + 5) ?? "").split(separator: ",").compactMap { item in
            let parts = item.split(separator: " ")
            guard parts.count == 2, let time = Int(parts[1]) else { return nil }
            return Method(name: String(parts[0]), time: time)
        }
    }
}
