package import ApusJSON
package import ApusPostgres
package import ApusSQL

/// A user as one statement read it: what authentication decides by, and what clients may see.
package struct AuthUser: Sendable {
    /// UUID, lower case.
    package let id: String
    package let email: String?
    package let phone: String?
    /// `aud` of the user's tokens.
    package let audience: String
    /// The database role of the user's requests.
    package let role: String
    /// PHC string, or an imported form; nil for users without a password.
    package let passwordHash: String?
    package let isEmailConfirmed: Bool
    package let isPhoneConfirmed: Bool
    package let isBanned: Bool
    package let isAnonymous: Bool
    /// Managed by an identity provider of the user's organisation.
    package let isManaged: Bool
    /// A second factor is verified, so signing in is not complete without it.
    package let hasVerifiedFactor: Bool
    /// The address or number that waits for confirmation.
    package let newEmail: String?
    package let newPhone: String?
    /// The user as the API shows it.
    package let json: JSONObject

    package var appMetadata: JSONObject { json["app_metadata"]?.object ?? [:] }
    package var userMetadata: JSONObject { json["user_metadata"]?.object ?? [:] }

    // MARK: - Reading

    /// Number of columns that ``columns`` selects.
    package static let columnCount = 15

    /// What to select from `auth.users as u`.
    package static let columns: SQL =
        """
        u.id, u.email, u.phone, coalesce(nullif(u.aud, ''), 'authenticated'),
        coalesce(nullif(u.role, ''), 'authenticated'), nullif(u.encrypted_password, ''),
        u.email_confirmed_at is not null, u.phone_confirmed_at is not null, coalesce(u.banned_until > now(), false),
        u.is_anonymous, u.is_sso_user,
        exists (select from auth.mfa_factors f where f.user_id = u.id and f.status = 'verified'),
        nullif(u.email_change, ''), nullif(u.phone_change, ''), \(shown)
        """

    /// A user from a row of ``columns``, the first of them at `column`.
    package init?(_ rows: Rows, row: Int = 0, column: Int = 0) {
        guard row < rows.count, let id = rows.string(row, column),
            let json = rows.withBytes(
                row, column + 14,
                { bytes in
                    bytes.flatMap { try? JSONReader.read(Array($0)).object }
                })
        else { return nil }
        self.id = id
        email = rows.string(row, column + 1)
        phone = rows.string(row, column + 2)
        audience = rows.string(row, column + 3) ?? "authenticated"
        role = rows.string(row, column + 4) ?? "authenticated"
        passwordHash = rows.string(row, column + 5)
        isEmailConfirmed = rows.bool(row, column + 6) ?? false
        isPhoneConfirmed = rows.bool(row, column + 7) ?? false
        isBanned = rows.bool(row, column + 8) ?? false
        isAnonymous = rows.bool(row, column + 9) ?? false
        isManaged = rows.bool(row, column + 10) ?? false
        hasVerifiedFactor = rows.bool(row, column + 11) ?? false
        newEmail = rows.string(row, column + 12)
        newPhone = rows.string(row, column + 13)
        self.json = json
    }

    // MARK: - What clients may see

    /// RFC 3339 in UTC with microseconds.
    package static func time(_ column: SQL) -> SQL {
        #"to_char(\#(column) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#
    }

    private static let shown: SQL =
        """
        jsonb_build_object(
            'id', u.id, 'aud', coalesce(nullif(u.aud, ''), 'authenticated'),
            'role', coalesce(nullif(u.role, ''), 'authenticated'), 'email', coalesce(u.email, ''),
            'phone', coalesce(u.phone, ''), 'app_metadata', coalesce(u.raw_app_meta_data, '{}'),
            'user_metadata', coalesce(u.raw_user_meta_data, '{}'), 'is_anonymous', u.is_anonymous,
            'created_at', \(time("u.created_at")), 'updated_at', \(time("u.updated_at")),
            'identities', coalesce((select jsonb_agg(\(AuthIdentity.shown) order by i.created_at, i.id)
                from auth.identities i where i.user_id = u.id), '[]'))
        || jsonb_strip_nulls(jsonb_build_object(
            'email_confirmed_at', \(time("u.email_confirmed_at")),
            'phone_confirmed_at', \(time("u.phone_confirmed_at")), 'confirmed_at', \(time("u.confirmed_at")),
            'invited_at', \(time("u.invited_at")), 'confirmation_sent_at', \(time("u.confirmation_sent_at")),
            'recovery_sent_at', \(time("u.recovery_sent_at")), 'new_email', nullif(u.email_change, ''),
            'email_change_sent_at', \(time("u.email_change_sent_at")), 'new_phone', nullif(u.phone_change, ''),
            'phone_change_sent_at', \(time("u.phone_change_sent_at")),
            'reauthentication_sent_at', \(time("u.reauthentication_sent_at")),
            'last_sign_in_at', \(time("u.last_sign_in_at")), 'banned_until', \(time("u.banned_until")),
            'deleted_at', \(time("u.deleted_at"))))
        || coalesce((select jsonb_build_object('factors', jsonb_agg(\(factor) order by f.created_at, f.id))
            from auth.mfa_factors f where f.user_id = u.id having count(*) > 0), '{}')
        """

    private static let factor: SQL =
        """
        jsonb_strip_nulls(jsonb_build_object(
            'id', f.id, 'friendly_name', f.friendly_name, 'factor_type', f.factor_type, 'status', f.status,
            'phone', f.phone, 'created_at', \(time("f.created_at")), 'updated_at', \(time("f.updated_at")),
            'last_challenged_at', \(time("f.last_challenged_at"))))
        """
}
