import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `POST /admin/users`
    package func createUser(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let fields = try AdminUserFields(call)
        guard fields.email != nil || fields.phone != nil else {
            throw AuthFault.invalid("Cannot create a user without either an email or phone")
        }
        var user = NewUser(email: fields.email, phone: fields.phone)
        if let id = fields.id { user.id = id }
        user.isEmailConfirmed = fields.confirmsEmail && fields.email != nil
        user.isPhoneConfirmed = fields.confirmsPhone && fields.phone != nil
        user.userMetadata = fields.userMetadata ?? [:]
        user.appMetadata = fields.appMetadata ?? [:]
        user.role = fields.role ?? "authenticated"
        user.passwordHash = try await hash(of: fields)
        let new = user
        return try await database.transaction { transaction in
            try await self.create(new, call, in: transaction)
            if let ban = fields.ban { try await transaction.run(Self.banning(new.id, ban)) }
            try await transaction.query(
                self.recording(AuditEvent("user_signedup", user: new.id, administrator: admin.role), call))
            guard let made = AuthUser(try await transaction.query(Users.byID(new.id))) else {
                throw AuthFault.unexpected
            }
            return .object(made.json)
        }
    }

    /// `PUT /admin/users/{id}`
    package func changeUser(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let user = try await userInPath(call)
        let fields = try AdminUserFields(call)
        let hash = try await hash(of: fields)
        return try await database.transaction { transaction in
            try await self.save(self.changing(user, fields, hash), transaction)
            try await transaction.query(
                self.recording(AuditEvent("user_modified", user: user.id, administrator: admin.role), call))
            guard let changed = AuthUser(try await transaction.query(Users.byID(user.id))) else {
                throw AuthFault.userNotFound
            }
            return .object(changed.json)
        }
    }

    // MARK: - Non public

    private func hash(of fields: AdminUserFields) async throws -> String? {
        if let hash = fields.passwordHash {
            guard StoredPassword.isKnown(hash) else {
                throw AuthFault.invalid("password_hash is of no known form, or costs too much to check")
            }
            return hash
        }
        guard let password = fields.password else { return nil }
        try settings.passwords.check(password, context: [fields.email ?? ""])
        return try await passwords.hash(password)
    }

    private func changing(_ user: AuthUser, _ fields: AdminUserFields, _ hash: String?) -> [SQL] {
        var statements: [SQL] = []
        func set(_ assignment: SQL) {
            statements.append(
                "update auth.users set \(assignment), updated_at = now() where id = \(bind: user.id)")
        }
        if let email = fields.email, email != user.email {
            statements += Self.takingEmail(email, user.id)
            if !fields.confirmsEmail, !user.isEmailConfirmed { set("email_confirmed_at = null") }
        }
        if let phone = fields.phone, phone != user.phone {
            statements += Self.takingPhone(phone, user.id)
            if !fields.confirmsPhone, !user.isPhoneConfirmed { set("phone_confirmed_at = null") }
        }
        if fields.confirmsEmail { set("email_confirmed_at = coalesce(email_confirmed_at, now())") }
        if fields.confirmsPhone { set("phone_confirmed_at = coalesce(phone_confirmed_at, now())") }
        if let role = fields.role { set("role = \(bind: role)") }
        if let data = fields.userMetadata {
            set("raw_user_meta_data = \(Self.merged("raw_user_meta_data", data))")
        }
        if let data = fields.appMetadata {
            set("raw_app_meta_data = \(Self.merged("raw_app_meta_data", data))")
        }
        if let hash {
            set("encrypted_password = \(bind: hash)")
            statements.append("delete from auth.sessions where user_id = \(bind: user.id)")
            statements.append(OneTimeToken.forgetting(user: user.id))
        }
        if let ban = fields.ban { statements += Self.banning(user.id, ban) }
        return statements
    }

    /// Members of `data` over those that are there; one that is null goes.
    private static func merged(_ column: SQL, _ data: JSONObject) -> SQL {
        """
        coalesce((select jsonb_object_agg(key, value)
            from jsonb_each(coalesce(\(column), '{}') || \(bind: data.text)::jsonb) where value <> 'null'), '{}')
        """
    }

    /// A ban ends every session: a token that is still good for an hour is a door that is still open.
    private static func banning(_ user: String, _ ban: AdminUserFields.Ban) -> [SQL] {
        switch ban {
        case .none: ["update auth.users set banned_until = null where id = \(bind: user)"]
        case .seconds(let seconds):
            [
                """
                update auth.users set banned_until = now() + make_interval(secs => \(bind: seconds))
                where id = \(bind: user)
                """,
                "delete from auth.sessions where user_id = \(bind: user)",
            ]
        }
    }
}

/// What an administrator says of a user.
struct AdminUserFields: Sendable {
    enum Ban: Sendable {
        case none
        case seconds(Int)
    }

    let id: String?
    let email: String?
    let phone: String?
    let password: String?
    let passwordHash: String?
    let confirmsEmail: Bool
    let confirmsPhone: Bool
    let userMetadata: JSONObject?
    let appMetadata: JSONObject?
    let role: String?
    let ban: Ban?

    init(_ call: AuthCall) throws(AuthFault) {
        let id = try call.text("id")
        self.id = id.flatMap { UUIDText.read($0) }
        guard id == nil || self.id != nil else { throw .invalid("ID must conform to the uuid v4 format") }
        let email = try call.text("email", limit: 512)
        self.email = email.flatMap { EmailAddress.read($0) }
        guard email == nil || self.email != nil else {
            throw AuthFault(400, "email_address_invalid", "Unable to validate email address: invalid format")
        }
        let phone = try call.text("phone", limit: 64)
        self.phone = phone.flatMap { PhoneNumber.read($0) }
        guard phone == nil || self.phone != nil else { throw .invalid("Invalid phone number format") }
        password = try call.text("password")
        passwordHash = try call.text("password_hash", limit: 255)
        guard password == nil || passwordHash == nil else {
            throw .invalid("Only a password or a password hash should be provided")
        }
        confirmsEmail = try call.flag("email_confirm") ?? false
        confirmsPhone = try call.flag("phone_confirm") ?? false
        userMetadata = try call.object("user_metadata")
        appMetadata = try call.object("app_metadata")
        role = try call.text("role", limit: 63)
        ban = try Self.ban(try call.text("ban_duration"))
    }

    /// `none`, or a duration as Go writes it: `24h`, `1h30m`, `45s`.
    private static func ban(_ text: String?) throws(AuthFault) -> Ban? {
        guard let text else { return nil }
        if text == "none" { return Ban.none }
        var seconds = 0
        var number = ""
        for character in text {
            if character.isASCII, character.isNumber, number.count < 9 {
                number.append(character)
                continue
            }
            let units: [Character: Int] = ["h": 3600, "m": 60, "s": 1]
            guard let count = Int(number), let unit = units[character] else {
                throw .invalid("invalid format for ban duration: \(text)")
            }
            seconds += count * unit
            number = ""
        }
        guard number.isEmpty, seconds > 0 else { throw .invalid("invalid format for ban duration: \(text)") }
        return .seconds(seconds)
    }
}
