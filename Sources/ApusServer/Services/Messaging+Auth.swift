import ApusAuth
import ApusJSON
import ApusMessages

extension Messaging {
    /// What authentication calls to have somebody written to: the message is in the queue when, and only when, the
    /// transaction commits.
    var enqueue: ApusAuth.MessageQueue {
        { [queue, hooks] message, transaction in
            var queued = Message(message)
            if hooks.delivers(queued.channel) { queued.user = message.user }
            try await transaction.query(try queue.enqueueing(queued))
        }
    }

    /// What authentication calls to have it told that somebody became a user; nil: nobody wants to know.
    var announceUser: UserAnnouncement? {
        guard hooks.userCreated != nil else { return nil }
        return { [queue] user, event, transaction in
            var message = Message(
                channel: .hook, kind: .userCreated, recipient: "", values: [:], userID: user,
                lifetime: 7 * 86_400)
            message.user = event
            try await transaction.query(try queue.enqueueing(message))
        }
    }
}

extension MessageSeal {
    /// With the keys that seal everything of authentication.
    init(_ keys: MasterKeys) {
        self.init { bytes, id in
            try keys.seal(bytes, context: "message \(id)")
        } open: { sealed, id in
            try? keys.open(sealed, context: "message \(id)")
        }
    }
}

extension Message {
    fileprivate init(_ message: AuthMessage) {
        let data = message.user["user_metadata"] ?? .object([:])
        let isMail = message.channel == .email
        var values = [
            "SiteURL": message.siteURL, "RedirectTo": message.redirectTo,
            "Email": isMail ? message.recipient : "",
        ]
        values["ConfirmationURL"] = message.link
        values["Token"] = message.code
        values["TokenHash"] = message.tokenHash
        values["NewEmail"] = message.newEmail
        values["CounterpartToken"] = message.counterpart?.code
        values["CounterpartTokenHash"] = message.counterpart?.tokenHash
        // A template that tells somebody of a change names the address that they know.
        if message.kind == .emailChangeNew, let old = message.user["email"]?.text, !old.isEmpty {
            values["Email"] = old
        }
        if !isMail { values["Phone"] = "+" + message.recipient }
        if message.channel == .whatsapp { values["Channel"] = "whatsapp" }
        self.init(
            channel: isMail ? .email : .sms, kind: MessageKind(message.kind),
            recipient: isMail ? message.recipient : "+" + message.recipient,
            locales: Self.locales(data.object), values: values, data: data, userID: message.user["id"]?.text,
            lifetime: Self.lifetime(message.kind))
    }

    /// What users, or the apps that they signed up with, say of their language.
    private static func locales(_ data: JSONObject?) -> [String] {
        ["locale", "language", "lang"].compactMap { data?[$0]?.text }.filter { $0.utf8.count <= 35 }
    }

    /// Seconds that a message is worth sending: codes by text message are short-lived, links hold a day.
    private static func lifetime(_ kind: AuthMessage.Kind) -> Int {
        switch kind {
        case .phoneCode, .phoneChange, .reauthentication: 600
        case .passwordChanged, .emailChanged, .accountExists: 7 * 86_400
        default: 86_400
        }
    }
}

extension MessageKind {
    fileprivate init(_ kind: AuthMessage.Kind) {
        self =
            switch kind {
            case .confirmation: .confirmation
            case .invite: .invite
            case .magicLink: .magicLink
            case .recovery: .recovery
            case .emailChangeCurrent: .emailChangeCurrent
            case .emailChangeNew: .emailChangeNew
            case .reauthentication: .reauthentication
            case .phoneCode: .phoneCode
            case .phoneChange: .phoneChange
            case .passwordChanged: .passwordChanged
            case .emailChanged: .emailChanged
            case .accountExists: .accountExists
            }
    }
}
