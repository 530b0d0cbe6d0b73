package import ApusSQL

/// By what a user is known: an e-mail address, a number, an account at a provider.
package enum AuthIdentity {
    /// An identity of `auth.identities as i` as the API shows it: the row's id is `identity_id`, and `id` is what the
    /// provider calls its user.
    package static let shown: SQL =
        """
        (jsonb_build_object(
            'identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, 'identity_data', i.identity_data,
            'provider', i.provider, 'created_at', \(AuthUser.time("i.created_at")),
            'updated_at', \(AuthUser.time("i.updated_at")))
        || jsonb_strip_nulls(jsonb_build_object(
            'last_sign_in_at', \(AuthUser.time("i.last_sign_in_at")), 'email', i.email)))
        """

    /// Adds an identity to a user, or brings the one there is up to date.
    ///
    /// - Parameters:
    ///   - subject: what the provider calls its user; for `email` and `phone`, the user's own id.
    ///   - data: a JSON object.
    package static func upsert(user: String, provider: String, subject: String, data: String) -> SQL {
        """
        insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at)
        values (\(bind: subject), \(bind: user), \(bind: data)::jsonb, \(bind: provider), now())
        on conflict (provider_id, provider) do update
        set identity_data = identities.identity_data || excluded.identity_data, last_sign_in_at = now(),
            updated_at = now()
        where identities.user_id = excluded.user_id
        """
    }
}
