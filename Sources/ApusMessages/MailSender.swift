/// Words a message as mail and hands it to the mail server.
package struct MailSender: Sendable {
    private let templates: MessageTemplates
    private let transport: SMTPTransport
    private let from: MailAddress
    private let senderName: String

    package init(
        templates: MessageTemplates, transport: SMTPTransport, from: MailAddress, senderName: String
    ) {
        self.templates = templates
        self.transport = transport
        self.from = from
        self.senderName = senderName
    }

    /// - Parameter seconds: since 1970.
    package func send(_ message: Message, seconds: Int) async throws(DeliveryFailure) {
        guard let to = MailAddress(message.recipient) else {
            throw .permanent("the recipient is not one mail address")
        }
        let domain = from.text.split(separator: "@").last.map(String.init) ?? "localhost"
        let content = templates.mail(message).written(
            from: from, senderName: senderName, to: to, messageID: "\(message.id)@\(domain)", seconds: seconds
        )
        try await transport.send(OutgoingMail(from: from, to: to, content: content))
    }
}
