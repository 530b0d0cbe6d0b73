import ApusJSON
import ApusPostgres
import ApusSQL

/// Requests for links and codes. Each answers the same, after the same time, whether the address is somebody's or not.
extension AuthService {
    /// `POST /otp`, `POST /magiclink`
    package func requestCode(_ call: AuthCall) async throws -> AuthAnswer {
        try await takeTry("otp", settings.otpTries, of: call)
        guard let address = try address(of: call) else {
            throw AuthFault.invalid("One of email or phone must be set")
        }
        let channel = try channel(of: call)
        let challenge = try CodeExchange.challenge(of: call)
        let metadata = try call.object("data") ?? [:]
        let creates = try call.flag("create_user") ?? true
        let redirectTo = redirects.allowed(call.redirectTo)
        try await takeMessage(to: address.text, channel)
        return try await evenly {
            let admits = creates ? try await self.isAdmitted(address, metadata, call) : false
            try await self.database.transaction { transaction in
                let user = try await self.userForCode(address, metadata, creates: admits, call, transaction)
                guard let user, !user.isBanned else { return }
                let errand = self.codeErrand(user, address, channel, redirectTo, challenge)
                try await self.send(errand, to: user, in: transaction)
                try await transaction.query(
                    self.recording(AuditEvent("user_otp_requested", user: user.id), call))
            }
            return .done
        }
    }

    /// `POST /recover`
    package func recover(_ call: AuthCall) async throws -> AuthAnswer {
        try await takeTry("otp", settings.otpTries, of: call)
        guard let given = try call.text("email", limit: 512) else {
            throw AuthFault.invalid("Password recovery requires an email")
        }
        guard let email = EmailAddress.read(given) else {
            throw AuthFault(400, "email_address_invalid", "Unable to validate email address: invalid format")
        }
        let errand = OneTimeErrand(
            .recovery, kind: .recovery, recipient: email, redirectTo: redirects.allowed(call.redirectTo),
            challenge: try CodeExchange.challenge(of: call))
        try await takeMessage(to: email, .email)
        return try await evenly {
            try await self.database.transaction { transaction in
                guard let user = AuthUser(try await transaction.query(Users.byEmail(email))), !user.isBanned
                else { return }
                try await self.send(errand, to: user, in: transaction)
                try await transaction.query(
                    self.recording(AuditEvent("user_recovery_requested", user: user.id), call))
            }
            return .done
        }
    }

    /// `POST /resend`
    package func resend(_ call: AuthCall) async throws -> AuthAnswer {
        try await takeTry("otp", settings.otpTries, of: call)
        guard let type = try call.text("type"),
            ["signup", "email_change", "sms", "phone_change"].contains(type)
        else {
            throw AuthFault.invalid("Missing one of these types: signup, email_change, sms, phone_change")
        }
        guard let address = try address(of: call) else {
            throw AuthFault.invalid("Type provided requires an email or phone number")
        }
        let isMail = type == "signup" || type == "email_change"
        guard (address.email != nil) == isMail else {
            throw AuthFault.invalid("Type provided requires \(isMail ? "an email" : "a phone number")")
        }
        let channel = try channel(of: call)
        let challenge = try CodeExchange.challenge(of: call)
        let redirectTo = redirects.allowed(call.redirectTo)
        try await takeMessage(to: address.text, channel)
        return try await evenly {
            try await self.database.transaction { transaction in
                for errand in try await self.pending(
                    type, address, channel, redirectTo, challenge, transaction)
                {
                    try await self.send(errand.errand, to: errand.user, in: transaction)
                }
            }
            return .done
        }
    }

    /// `GET` and `POST /reauthenticate`: a code to whoever signed in, to prove that it is still the same person.
    package func reauthenticate(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try await takeTry("otp", settings.otpTries, of: call)
        let user = caller.user
        let isMail = user.email != nil
        guard let recipient = user.email ?? user.phone else {
            throw AuthFault.invalid("Reauthentication requires the user to have an email or a phone number")
        }
        guard isMail ? user.isEmailConfirmed : user.isPhoneConfirmed else {
            throw AuthFault(
                422, "\(isMail ? "email" : "phone")_not_confirmed", "Please verify your address first.")
        }
        let channel: AuthMessage.Channel = isMail ? .email : .sms
        try await takeMessage(to: recipient, channel)
        let errand = OneTimeErrand(
            .reauthentication, kind: isMail ? .reauthentication : .phoneCode, channel: channel,
            recipient: recipient, redirectTo: settings.siteURL)
        try await database.transaction { transaction in
            try await self.send(errand, to: user, in: transaction)
            try await transaction.query(
                self.recording(AuditEvent("user_reauthenticate_requested", user: user.id), call))
        }
        return .done
    }

    // MARK: - Non public

    /// Answers no sooner than after a tenth of a second: what the work took says nothing about whether there was any.
    func evenly(_ work: @escaping @Sendable () async throws -> AuthAnswer) async throws -> AuthAnswer {
        let end = ContinuousClock.now + .milliseconds(100)
        let answer = try await work()
        try await Task.sleep(until: end, clock: .continuous)
        return answer
    }

    private func userForCode(
        _ address: Address, _ metadata: JSONObject, creates: Bool, _ call: AuthCall,
        _ transaction: AuthTransaction
    ) async throws -> AuthUser? {
        let finding = address.email.map { Users.byEmail($0) } ?? Users.byPhone(address.text)
        if let user = AuthUser(try await transaction.query(finding)) { return user }
        guard creates, !settings.isSignUpDisabled else { return nil }
        var new = NewUser(email: address.email, phone: address.phone)
        new.userMetadata = metadata
        try await create(new, call, in: transaction)
        try await transaction.query(recording(AuditEvent("user_signedup", user: new.id), call))
        return AuthUser(try await transaction.query(Users.byID(new.id)))
    }

    /// Somebody without a password who was never confirmed gets the mail for newcomers.
    private func codeErrand(
        _ user: AuthUser, _ address: Address, _ channel: AuthMessage.Channel, _ redirectTo: String,
        _ challenge: String?
    ) -> OneTimeErrand {
        guard address.email != nil else {
            return OneTimeErrand(
                .sms, kind: .phoneCode, channel: channel, recipient: address.text, redirectTo: redirectTo,
                challenge: challenge)
        }
        let isNew = !user.isEmailConfirmed && user.passwordHash == nil && !settings.autoconfirmsEmail
        return OneTimeErrand(
            isNew ? .signUp : .magicLink, kind: isNew ? .confirmation : .magicLink, recipient: address.text,
            redirectTo: redirectTo, challenge: challenge)
    }

    private func pending(
        _ type: String, _ address: Address, _ channel: AuthMessage.Channel, _ redirectTo: String,
        _ challenge: String?, _ transaction: AuthTransaction
    ) async throws -> [(user: AuthUser, errand: OneTimeErrand)] {
        let finding: SQL =
            switch type {
            case "email_change":
                "select \(AuthUser.columns) from auth.users u where u.email_change = \(bind: address.text) limit 1"
            case "phone_change":
                "select \(AuthUser.columns) from auth.users u where u.phone_change = \(bind: address.text) limit 1"
            default: address.email.map { Users.byEmail($0) } ?? Users.byPhone(address.text)
            }
        guard let user = AuthUser(try await transaction.query(finding)), !user.isBanned else { return [] }
        func errand(_ purpose: OneTimePurpose, _ kind: AuthMessage.Kind) -> OneTimeErrand {
            OneTimeErrand(
                purpose, kind: kind, channel: channel, recipient: address.text, redirectTo: redirectTo,
                challenge: challenge, newEmail: user.newEmail)
        }
        switch type {
        case "signup": return user.isEmailConfirmed ? [] : [(user, errand(.signUp, .confirmation))]
        case "sms": return user.isPhoneConfirmed ? [] : [(user, errand(.sms, .phoneCode))]
        case "email_change": return [(user, errand(.emailChangeNew, .emailChangeNew))]
        default: return [(user, errand(.phoneChange, .phoneChange))]
        }
    }
}
