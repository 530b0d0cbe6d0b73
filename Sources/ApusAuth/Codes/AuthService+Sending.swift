import ApusJSON
import ApusPostgres
import ApusSQL

/// A link or code that is to be made and sent.
package struct OneTimeErrand: Sendable {
    package var purpose: OneTimePurpose
    package var kind: AuthMessage.Kind
    package var channel: AuthMessage.Channel
    /// The address or number that it goes to.
    package var recipient: String
    /// Where the link leads in the end; checked.
    package var redirectTo: String
    /// The challenge that the exchange must meet; nil: the link gives a session.
    package var challenge: String?
    /// The address that is being taken, for both sides of a change.
    package var newEmail: String?
    /// What the other side of a change was made, where one errand writes to both.
    var counterpart: OneTimeToken?

    package init(
        _ purpose: OneTimePurpose, kind: AuthMessage.Kind, channel: AuthMessage.Channel = .email,
        recipient: String, redirectTo: String, challenge: String? = nil, newEmail: String? = nil
    ) {
        self.purpose = purpose
        self.kind = kind
        self.channel = channel
        self.recipient = recipient
        self.redirectTo = redirectTo
        self.challenge = challenge
        self.newEmail = newEmail
    }
}

extension AuthService {
    /// Makes a one-time token, keeps it, notes when, and queues its message: one transaction with what made it
    /// necessary.
    ///
    /// - Parameter sends: false to only make it, for an administrator who delivers it.
    @discardableResult
    package func send(
        _ errand: OneTimeErrand, to user: AuthUser, sends: Bool = true, in transaction: AuthTransaction
    ) async throws -> (token: OneTimeToken, link: String) {
        guard let secret = secrets[.codes] else { throw AuthFault.notReady }
        let isMail = errand.channel == .email
        let token = OneTimeToken(
            errand.purpose, digits: isMail ? settings.mailCodeLength : settings.textCodeLength,
            isPKCE: errand.challenge != nil)
        var statements: [SQL] = []
        var flow: String?
        if let challenge = errand.challenge {
            let id = UUIDText.random()
            flow = id
            statements.append(
                CodeExchange.beginning(
                    id, challenge: challenge, user: user.id, provider: isMail ? "email" : "phone",
                    method: errand.purpose.method))
        }
        let codeLifetime = isMail ? settings.mailCodeLifetime : settings.textCodeLifetime
        statements.append(
            token.storing(
                user: user.id, recipient: errand.recipient, flow: flow,
                lifetime: (codeLifetime, isMail ? settings.mailLinkLifetime : codeLifetime), secret: secret))
        if let column = errand.purpose.sentColumn {
            statements.append("update auth.users set \(column) = now() where id = \(bind: user.id)")
        }
        try await transaction.run(statements)
        let link = self.link(token, redirectTo: errand.redirectTo)
        if sends {
            try await enqueue(message(errand, token, link, to: user), transaction)
        }
        return (token, link)
    }

    private func message(
        _ errand: OneTimeErrand, _ token: OneTimeToken, _ link: String, to user: AuthUser
    ) -> AuthMessage {
        var message = AuthMessage(
            kind: errand.kind, channel: errand.channel, recipient: errand.recipient, code: token.code,
            link: errand.channel == .email ? link : nil, tokenHash: token.link, redirectTo: errand.redirectTo,
            siteURL: settings.siteURL, newEmail: errand.newEmail, user: user.json)
        message.counterpart = errand.counterpart.map { ($0.code, $0.link) }
        return message
    }

    /// Writes to both sides of a change of address in one errand, whose receiver sends two mails. When the new address is
    /// somebody else's, its code was never kept: nothing tells the two cases apart.
    func sendToBoth(
        _ errand: OneTimeErrand, isTaken: Bool, to user: AuthUser, in transaction: AuthTransaction
    ) async throws {
        guard isTaken else {
            try await send(errand, to: user, in: transaction)
            return
        }
        let token = OneTimeToken(
            errand.purpose, digits: settings.mailCodeLength, isPKCE: errand.challenge != nil)
        let link = self.link(token, redirectTo: errand.redirectTo)
        try await enqueue(message(errand, token, link, to: user), transaction)
    }

    /// A message that only says something.
    package func notify(
        _ kind: AuthMessage.Kind, _ user: AuthUser, at recipient: String? = nil,
        in transaction: AuthTransaction
    ) async throws {
        guard let recipient = recipient ?? user.email else { return }
        try await enqueue(
            AuthMessage(
                kind: kind, recipient: recipient, redirectTo: settings.siteURL, siteURL: settings.siteURL,
                newEmail: user.newEmail, user: user.json), transaction)
    }

    /// The address of the page that uses a token.
    package func link(_ token: OneTimeToken, redirectTo: String) -> String {
        settings.externalURL + "/verify?token=\(token.link)&type=\(token.purpose.type)&redirect_to="
            + PercentEncoding.component(redirectTo)
    }
}

extension OneTimePurpose {
    /// Where `auth.users` notes that it was sent.
    fileprivate var sentColumn: SQL? {
        switch self {
        case .signUp, .sms: "confirmation_sent_at"
        case .invite: "invited_at"
        case .magicLink, .recovery: "recovery_sent_at"
        case .emailChangeCurrent, .emailChangeNew: "email_change_sent_at"
        case .phoneChange: "phone_change_sent_at"
        case .reauthentication: "reauthentication_sent_at"
        }
    }
}
