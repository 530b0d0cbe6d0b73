import ApusJSON
import ApusSQL

extension AuthService {
    /// `POST /signup`
    package func signUp(_ call: AuthCall) async throws -> AuthAnswer {
        guard !settings.isSignUpDisabled else {
            throw AuthFault(422, "signup_disabled", "Signups not allowed for this instance")
        }
        guard let given = try call.text("email") else { throw AuthFault.invalid("email is required") }
        guard let email = EmailAddress.read(given) else {
            throw AuthFault(400, "email_address_invalid", "Unable to validate email address: invalid format")
        }
        guard let password = try call.text("password") else {
            throw AuthFault.invalid("Signup requires a valid password")
        }
        let metadata = try call.object("data") ?? [:]
        let hash = try await passwords.hash(password)
        let settings = settings
        return try await database.transaction { transaction in
            let id = UUIDText.random()
            var data = metadata
            data["sub"] = .string(id)
            data["email"] = .string(email)
            data["email_verified"] = .bool(settings.autoconfirmsEmail)
            data["phone_verified"] = false
            let text = String(decoding: JSONValue.object(data).bytes, as: UTF8.self)
            try await transaction.run([
                """
                insert into auth.users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at,
                    raw_app_meta_data, raw_user_meta_data)
                values (\(bind: id), '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
                    \(bind: email), \(bind: hash), case when \(bind: String(settings.autoconfirmsEmail))::boolean
                        then now() end,
                    '{"provider": "email", "providers": ["email"]}', \(bind: text)::jsonb)
                """,
                AuthIdentity.upsert(user: id, provider: "email", subject: id, data: text),
            ])
            return try await self.openSession(
                user: id, method: "password", call: call, in: transaction
            ).answer
        }
    }
}
