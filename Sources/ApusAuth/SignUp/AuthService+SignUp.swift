import ApusJSON
import ApusPostgres
import ApusSQL
import Crypto

extension AuthService {
    /// `POST /signup`: by e-mail, by phone, or as nobody in particular.
    package func signUp(_ call: AuthCall) async throws -> AuthAnswer {
        guard !settings.isSignUpDisabled else {
            throw AuthFault(422, "signup_disabled", "Signups not allowed for this instance")
        }
        let address = try address(of: call)
        guard let address else { return try await signUpAnonymously(call) }
        try await takeTry("signup", settings.signUpTries, of: call)
        guard let password = try call.text("password") else {
            throw AuthFault.invalid("Signup requires a valid password")
        }
        try settings.passwords.check(password, context: context(of: address))
        let request = SignUpRequest(
            address: address, metadata: try call.object("data") ?? [:],
            channel: try channel(of: call), challenge: try CodeExchange.challenge(of: call),
            redirectTo: redirects.allowed(call.redirectTo))
        // Asked whoever has the address, so that the answer is the same for all.
        try await admit(request.user(hash: ""), call)
        if isConfirmedAtOnce(address) {
            return try await signUpAtOnce(request, hash: try await passwords.hash(password), call)
        }
        try await takeMessage(to: address.text, request.channel)
        return try await signUpPending(request, hash: try await passwords.hash(password), call)
    }

    // MARK: - What a request says

    /// An address by which somebody is known.
    enum Address: Sendable {
        case email(String)
        case phone(String)

        var text: String {
            switch self {
            case .email(let text), .phone(let text): text
            }
        }

        var email: String? { if case .email(let text) = self { text } else { nil } }
        var phone: String? { if case .phone(let text) = self { text } else { nil } }
    }

    /// The one address that a request names; nil for none.
    ///
    /// - Throws: for two, for one that cannot be, and for a kind that is switched off.
    func address(of call: AuthCall) throws(AuthFault) -> Address? {
        let email = try call.text("email", limit: 512)
        let phone = try call.text("phone", limit: 64)
        switch (email, phone) {
        case (nil, nil): return nil
        case (.some, .some):
            throw .invalid("Only an email address or phone number should be provided.")
        case (let email?, nil):
            guard settings.allowsEmail else {
                throw AuthFault(400, "email_provider_disabled", "Email logins are disabled")
            }
            guard let read = EmailAddress.read(email) else {
                throw AuthFault(
                    400, "email_address_invalid", "Unable to validate email address: invalid format")
            }
            return .email(read)
        case (nil, let phone?):
            guard settings.allowsPhone else {
                throw AuthFault(400, "phone_provider_disabled", "Phone logins are disabled")
            }
            guard let read = PhoneNumber.read(phone) else {
                throw .invalid("Invalid phone number format (E.164 required)")
            }
            return .phone(read)
        }
    }

    /// How a message shall travel.
    func channel(of call: AuthCall) throws(AuthFault) -> AuthMessage.Channel {
        guard try call.text("phone", limit: 64) != nil else { return .email }
        switch try call.text("channel") {
        case nil, "sms": return .sms
        case "whatsapp": return .whatsapp
        default: throw .invalid("Invalid channel, supported values are 'sms' or 'whatsapp'.")
        }
    }

    func isConfirmedAtOnce(_ address: Address) -> Bool {
        address.email != nil ? settings.autoconfirmsEmail : settings.autoconfirmsPhone
    }

    /// What a password must not be.
    func context(of address: Address) -> [String] {
        [address.text, String(address.text.prefix { $0 != "@" })]
    }

    // MARK: - Outcomes

    private struct SignUpRequest {
        let address: Address
        let metadata: JSONObject
        let channel: AuthMessage.Channel
        let challenge: String?
        let redirectTo: String

        func user(hash: String) -> NewUser {
            var user = NewUser(email: address.email, phone: address.phone)
            user.passwordHash = hash
            user.userMetadata = metadata
            return user
        }

        var errand: OneTimeErrand {
            let isMail = address.email != nil
            return OneTimeErrand(
                isMail ? .signUp : .sms, kind: isMail ? .confirmation : .phoneCode, channel: channel,
                recipient: address.text, redirectTo: redirectTo, challenge: challenge)
        }
    }

    private func signUpAnonymously(_ call: AuthCall) async throws -> AuthAnswer {
        guard settings.allowsAnonymous else {
            throw AuthFault(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
        }
        try await takeTry("anonymous", settings.anonymousTries, per: 3600, of: call)
        var user = NewUser()
        user.isAnonymous = true
        user.userMetadata = try call.object("data") ?? [:]
        let new = user
        try await admit(new, call)
        let pending = try await database.transaction { transaction in
            try await self.create(new, call, in: transaction)
            try await transaction.query(
                self.recording(
                    AuditEvent("user_signedup", user: new.id, traits: ["provider": "anonymous"]), call))
            return try await self.openSession(
                user: new.id, method: "anonymous", call: call, in: transaction)
        }
        return try await issue(pending).answer
    }

    private func signUpAtOnce(
        _ request: SignUpRequest, hash: String, _ call: AuthCall
    ) async throws -> AuthAnswer {
        var user = request.user(hash: hash)
        user.isEmailConfirmed = user.email != nil
        user.isPhoneConfirmed = user.phone != nil
        let new = user
        do {
            let pending = try await database.transaction { transaction in
                try await self.create(new, call, in: transaction)
                try await transaction.query(self.recording(AuditEvent("user_signedup", user: new.id), call))
                return try await self.openSession(
                    user: new.id, method: "password", call: call, in: transaction)
            }
            return try await issue(pending).answer
        } catch let fault as AuthFault where fault == .emailExists || fault == .phoneExists {
            throw AuthFault(422, "user_already_exists", "User already registered")
        }
    }

    /// The answer is the same for everybody: an address that is taken by somebody gets a message that says so, and
    /// whoever asked sees a user that was never there.
    private func signUpPending(
        _ request: SignUpRequest, hash: String, _ call: AuthCall
    ) async throws -> AuthAnswer {
        let new = request.user(hash: hash)
        return try await database.transaction { transaction in
            let finding =
                request.address.email.map { Users.byEmail($0) } ?? Users.byPhone(request.address.text)
            let known = AuthUser(try await transaction.query(finding))
            let isConfirmed =
                request.address.email != nil ? known?.isEmailConfirmed : known?.isPhoneConfirmed
            switch (known, isConfirmed ?? false) {
            case (nil, _):
                try await self.create(new, call, in: transaction)
                try await transaction.query(self.recording(AuditEvent("user_signedup", user: new.id), call))
                return try await self.sendAndShow(request.errand, to: new.id, in: transaction)
            case (let user?, false):
                try await transaction.run(self.signingUpAgain(user, new))
                return try await self.sendAndShow(request.errand, to: user.id, in: transaction)
            case (let user?, true):
                let shown = try await self.pretend(request, new, call, in: transaction)
                try await self.notify(.accountExists, user, in: transaction)
                try await transaction.query(
                    self.recording(AuditEvent("user_repeated_signup", user: user.id), call))
                return shown
            }
        }
    }

    private func sendAndShow(
        _ errand: OneTimeErrand, to id: String, in transaction: AuthTransaction
    ) async throws -> AuthAnswer {
        guard let user = AuthUser(try await transaction.query(Users.byID(id))) else {
            throw AuthFault.unexpected
        }
        try await send(errand, to: user, in: transaction)
        guard let sent = AuthUser(try await transaction.query(Users.byID(id))) else {
            throw AuthFault.unexpected
        }
        return .object(sent.json)
    }

    /// Nobody has proven to own the address yet, so whoever comes last counts: else somebody could sign up with another's
    /// address first, and know the password when the owner confirms.
    private func signingUpAgain(_ user: AuthUser, _ new: NewUser) -> [SQL] {
        [
            """
            update auth.users set encrypted_password = \(bind: new.passwordHash ?? ""), created_at = now(),
                updated_at = now(), raw_user_meta_data = \(bind: new.userMetadata.text)::jsonb
            where id = \(bind: user.id)
            """,
            """
            update auth.identities set created_at = now(), updated_at = now(), last_sign_in_at = now()
            where user_id = \(bind: user.id)
            """,
        ]
    }

    /// The user that would have been created, made and undone: the very same statements take the very same time. Its
    /// ids follow from the address, so that asking twice shows the same ones, as it does for a real user.
    private func pretend(
        _ request: SignUpRequest, _ new: NewUser, _ call: AuthCall, in transaction: AuthTransaction
    ) async throws -> AuthAnswer {
        var twin = new
        twin.id = try pretendedID("user", request.address)
        twin.identityID = try pretendedID("identity", request.address)
        // The address is taken, so another of the same kind stands in for it.
        let standIn = twin.id + "@invalid.invalid"
        if twin.email != nil { twin.email = standIn } else { twin.phone = "0" + twin.id }
        try await transaction.query("savepoint pretended")
        try await create(twin, call, in: transaction)
        let sent: SQL = "update auth.users set confirmation_sent_at = now() where id = \(bind: twin.id)"
        try await transaction.query(sent)
        let user = AuthUser(try await transaction.query(Users.byID(twin.id)))
        try await transaction.query("rollback to savepoint pretended")
        guard let shown = user?.json.text else { throw AuthFault.unexpected }
        let text = shown.replacing(twin.email ?? "0" + twin.id, with: request.address.text)
        return .json(try JSONReader.read(Array(text.utf8)))
    }

    func pretendedID(_ kind: String, _ address: Address) throws -> String {
        let digest = SHA256.hash(data: Array(try pseudonym("\(kind) \(address.text)").utf8))
        return UUIDText.shaped(Array(digest.prefix(16)))
    }

    /// Creates a user, and has it announced once the transaction commits.
    ///
    /// - Throws: `email_exists`, `phone_exists`; what a trigger of the database raises, in its words.
    package func create(_ user: NewUser, _ call: AuthCall, in transaction: AuthTransaction) async throws {
        do throws(PostgresFault) {
            try await transaction.run(user.creating)
        } catch {
            throw Self.fault(ofSaving: error)
        }
        try await announce(user: user.id, call, in: transaction)
    }

    /// What a refused write to `auth.users` means. A trigger that raises an exception speaks to the developer of the app,
    /// so its words come through; other errors of the database are for the log.
    static func fault(ofSaving fault: PostgresFault) -> any Error {
        switch (fault.sqlState, fault.constraintName) {
        case ("23505", "users_email_partial_key"): AuthFault.emailExists
        case ("23505", let name?) where name.contains("phone"): AuthFault.phoneExists
        case ("P0001", _):
            AuthFault(500, "unexpected_failure", "Database error saving new user: \(fault.message)")
        default: fault
        }
    }
}
