package import ApusJSON
package import ApusSQL

/// A user to be created.
package struct NewUser: Sendable {
    package var id = UUIDText.random()
    package var email: String?
    package var phone: String?
    package var passwordHash: String?
    package var isEmailConfirmed = false
    package var isPhoneConfirmed = false
    package var isAnonymous = false
    package var role = "authenticated"
    package var userMetadata = JSONObject()
    /// Over `provider` and `providers`.
    package var appMetadata = JSONObject()
    /// Row id of the identity; nil: a random one.
    package var identityID: String?

    package init(email: String? = nil, phone: String? = nil) {
        self.email = email
        self.phone = phone
    }

    /// The statements that create the user with an identity for each address.
    package var creating: [SQL] {
        var providers: [String] = []
        if email != nil { providers.append("email") }
        if phone != nil { providers.append("phone") }
        var app: JSONObject = [:]
        if let first = providers.first {
            app = ["provider": .string(first), "providers": .strings(providers)]
        }
        for member in appMetadata.members { app[member.name] = member.value }
        let confirmed: (Bool) -> SQL = { $0 ? "now()" : "null" }
        let user: SQL = """
            insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password, email_confirmed_at,
                phone_confirmed_at, raw_app_meta_data, raw_user_meta_data, is_anonymous)
            values ('00000000-0000-0000-0000-000000000000', \(bind: id), 'authenticated', \(bind: role),
                \(bind: SQLValue(email)), \(bind: SQLValue(phone)), \(bind: passwordHash ?? ""),
                \(confirmed(isEmailConfirmed)), \(confirmed(isPhoneConfirmed)), \(bind: app.text)::jsonb,
                \(bind: userMetadata.text)::jsonb, \(bind: String(isAnonymous))::boolean)
            """
        return [user] + providers.map(identity)
    }

    private func identity(_ provider: String) -> SQL {
        var data: JSONObject = ["sub": .string(id)]
        if provider == "email", let email { data["email"] = .string(email) }
        if provider == "phone", let phone { data["phone"] = .string(phone) }
        data["email_verified"] = .bool(provider == "email" && isEmailConfirmed)
        data["phone_verified"] = .bool(provider == "phone" && isPhoneConfirmed)
        return """
            insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at)
            values (\(bind: identityID ?? UUIDText.random()), \(bind: id), \(bind: id), \(bind: data.text)::jsonb,
                \(bind: provider), now())
            """
    }
}

extension JSONObject {
    /// As text, for a bind.
    package var text: String { String(decoding: JSONValue.object(self).bytes, as: UTF8.self) }
}
