package import ApusJSON

/// Something that somebody is told by mail or text message: what, to whom, and with which values.
///
/// It holds one-time codes and links in the clear, so it is sealed wherever it is kept, and never logged outside of
/// development.
package struct Message: Sendable, Equatable {
    /// How it travels.
    package enum Channel: String, Sendable {
        case email
        case sms
        /// To code of the operator's, about something that happened.
        case hook
    }

    /// Names the row in the queue and, for mail, the `Message-ID`: the same for every attempt, so that a message
    /// which is delivered twice is recognised by the mailbox.
    package var id: String
    package var channel: Channel
    package var kind: MessageKind
    /// One mail address, or one telephone number in the form of E.164.
    package var recipient: String
    /// Languages that the person prefers, best first, as in BCP 47 (`de-AT`).
    package var locales: [String]
    /// What templates call by name: `ConfirmationURL`, `Token`, `TokenHash`, `SiteURL`, `RedirectTo`, `Email`,
    /// `NewEmail`, `Phone`.
    package var values: [String: String]
    /// What the user says of themselves; templates call it `Data`. Anybody may have written it.
    package var data: JSONValue
    /// The user as the API shows it, for hooks that write to people themselves; of an announcement, all that it says.
    package var user: JSONObject?
    /// The user's id, for the operator who looks at the queue.
    package var userID: String?
    /// Seconds after which it is of no use any more, and no longer tried.
    package var lifetime: Int

    package init(
        id: String = Message.newID(), channel: Channel, kind: MessageKind, recipient: String,
        locales: [String] = [], values: [String: String], data: JSONValue = .object([:]),
        userID: String? = nil, lifetime: Int = 86_400
    ) {
        self.id = id
        self.channel = channel
        self.kind = kind
        self.recipient = recipient
        self.locales = locales
        self.values = values
        self.data = data
        self.userID = userID
        self.lifetime = lifetime
    }

    /// A random UUID (RFC 9562 §5.4).
    package static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Message {
    /// What is sealed into the queue: everything but what has a column of its own.
    var payload: JSONValue {
        var values = JSONObject()
        for (name, value) in self.values.sorted(by: { $0.key < $1.key }) { values[name] = .string(value) }
        var payload: JSONObject = [
            "recipient": .string(recipient), "locales": .strings(locales), "values": .object(values),
            "data": data,
        ]
        if let user { payload["user"] = .object(user) }
        return .object(payload)
    }

    /// - Returns: nil for a payload that this version did not write.
    init?(id: String, channel: String, kind: String, payload: JSONValue, userID: String?) {
        guard let channel = Channel(rawValue: channel), let kind = MessageKind(rawValue: kind),
            let payload = payload.object, let recipient = payload["recipient"]?.text,
            let values = payload["values"]?.object
        else { return nil }
        var texts: [String: String] = [:]
        for member in values.members { texts[member.name] = member.value.text }
        self.init(
            id: id, channel: channel, kind: kind, recipient: recipient,
            locales: payload["locales"]?.array?.compactMap(\.text) ?? [], values: texts,
            data: payload["data"] ?? .object([:]), userID: userID)
        user = payload["user"]?.object
    }
}
