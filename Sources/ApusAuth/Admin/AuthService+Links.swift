import ApusJSON
import ApusPostgres
import ApusSQL

extension AuthService {
    /// `POST /invite`
    package func invite(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let email = try emailInBody(call, "email")
        let redirectTo = redirects.allowed(call.redirectTo)
        let metadata = try call.object("data") ?? [:]
        return try await database.transaction { transaction in
            let user = try await self.invited(email, metadata, call, transaction)
            try await self.send(
                OneTimeErrand(.invite, kind: .invite, recipient: email, redirectTo: redirectTo), to: user,
                in: transaction)
            try await transaction.query(
                self.recording(AuditEvent("user_invited", user: user.id, administrator: admin.role), call))
            guard let sent = AuthUser(try await transaction.query(Users.byID(user.id))) else {
                throw AuthFault.unexpected
            }
            return .object(sent.json)
        }
    }

    /// `POST /admin/generate_link`: what a mail would carry, for somebody who delivers it in another way.
    package func generateLink(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let email = try emailInBody(call, "email")
        let redirectTo = redirects.allowed(try call.text("redirect_to", limit: 2048) ?? call.redirectTo)
        let request = LinkRequest(
            type: try call.text("type") ?? "", email: email,
            newEmail: try call.text("new_email", limit: 512) == nil
                ? nil : try emailInBody(call, "new_email"),
            metadata: try call.object("data") ?? [:], hash: try await linkPassword(call, email))
        return try await database.transaction { transaction in
            let (user, purpose, recipient) = try await self.subject(of: request, call, transaction)
            let made = try await self.send(
                OneTimeErrand(
                    purpose, kind: .confirmation, recipient: recipient, redirectTo: redirectTo,
                    newEmail: request.newEmail), to: user, sends: false, in: transaction)
            try await transaction.query(
                self.recording(
                    AuditEvent(
                        "link_generated", user: user.id, administrator: admin.role,
                        traits: ["type": .string(request.type)]), call))
            guard let shown = AuthUser(try await transaction.query(Users.byID(user.id))) else {
                throw AuthFault.unexpected
            }
            var object = shown.json
            object["action_link"] = .string(made.link)
            object["email_otp"] = .string(made.token.code)
            object["hashed_token"] = .string(made.token.link)
            object["verification_type"] = .string(request.type)
            object["redirect_to"] = .string(redirectTo)
            return .object(object)
        }
    }

    // MARK: - Non public

    private struct LinkRequest: Sendable {
        let type: String
        let email: String
        let newEmail: String?
        let metadata: JSONObject
        let hash: String?
    }

    private func emailInBody(_ call: AuthCall, _ name: String) throws(AuthFault) -> String {
        guard let given = try call.text(name, limit: 512) else { throw .invalid("\(name) is required") }
        guard let email = EmailAddress.read(given) else {
            throw AuthFault(400, "email_address_invalid", "Unable to validate email address: invalid format")
        }
        return email
    }

    private func linkPassword(_ call: AuthCall, _ email: String) async throws -> String? {
        guard try call.text("type") == "signup" else { return nil }
        guard let password = try call.text("password") else {
            throw AuthFault.invalid("Signup requires a valid password")
        }
        try settings.passwords.check(password, context: [email])
        return try await passwords.hash(password)
    }

    /// Whom an invitation is for: nobody known, or somebody who was never confirmed.
    private func invited(
        _ email: String, _ metadata: JSONObject, _ call: AuthCall, _ transaction: AuthTransaction
    ) async throws -> AuthUser {
        if let known = AuthUser(try await transaction.query(Users.byEmail(email))) {
            guard !known.isEmailConfirmed else { throw AuthFault.emailExists }
            return known
        }
        return try await made(email, metadata, hash: nil, call, transaction)
    }

    private func made(
        _ email: String, _ metadata: JSONObject, hash: String?, _ call: AuthCall,
        _ transaction: AuthTransaction
    ) async throws -> AuthUser {
        var new = NewUser(email: email)
        new.userMetadata = metadata
        new.passwordHash = hash
        try await create(new, call, in: transaction)
        guard let user = AuthUser(try await transaction.query(Users.byID(new.id))) else {
            throw AuthFault.unexpected
        }
        return user
    }

    private func subject(
        of request: LinkRequest, _ call: AuthCall, _ transaction: AuthTransaction
    ) async throws -> (AuthUser, OneTimePurpose, recipient: String) {
        let known = AuthUser(try await transaction.query(Users.byEmail(request.email)))
        switch request.type {
        case "magiclink":
            // As GoTrue: a link for somebody new signs them up.
            if let known { return (known, .magicLink, request.email) }
            let new = try await made(request.email, request.metadata, hash: nil, call, transaction)
            return (new, .magicLink, request.email)
        case "recovery":
            guard let known else { throw AuthFault.userNotFound }
            return (known, .recovery, request.email)
        case "invite":
            return (
                try await invited(request.email, request.metadata, call, transaction), .invite, request.email
            )
        case "signup":
            if let known {
                guard !known.isEmailConfirmed else { throw AuthFault.emailExists }
                try await transaction.query(
                    """
                    update auth.users set encrypted_password = \(bind: request.hash ?? ""), updated_at = now()
                    where id = \(bind: known.id)
                    """)
                return (known, .signUp, request.email)
            }
            let new = try await made(request.email, request.metadata, hash: request.hash, call, transaction)
            return (new, .signUp, request.email)
        case "email_change_current", "email_change_new":
            guard let known else { throw AuthFault.userNotFound }
            guard let newEmail = request.newEmail else {
                throw AuthFault.invalid("new_email is required for a change of address")
            }
            guard try await transaction.query(Users.byEmail(newEmail)).count == 0 else {
                throw AuthFault.emailExists
            }
            try await transaction.query(
                """
                update auth.users set email_change_confirm_status =
                        case when email_change = \(bind: newEmail) then email_change_confirm_status else 0 end,
                    email_change = \(bind: newEmail), updated_at = now()
                where id = \(bind: known.id)
                """)
            let isNew = request.type == "email_change_new"
            return (
                known, isNew ? .emailChangeNew : .emailChangeCurrent, isNew ? newEmail : request.email
            )
        default: throw AuthFault.invalid("Invalid email action link type requested: \(request.type)")
        }
    }
}
