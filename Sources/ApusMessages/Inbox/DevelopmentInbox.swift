package import ApusJSON
package import ApusPostgres
import ApusSQL
package import Logging

/// Where messages land while somebody develops and there is no mail server: a table, for the page `/dev/inbox`, and
/// the log.
package struct DevelopmentInbox: Sendable {
    /// Older ones make room.
    private static let capacity = 200
    /// How long a reader waits for what is on its way.
    private static let patience = Duration.seconds(5)

    private let database: Database
    private let templates: MessageTemplates
    private let logger: Logger

    package init(database: Database, templates: MessageTemplates, logger: Logger) {
        self.database = database
        self.templates = templates
        self.logger = logger
    }

    /// Takes a message in; a second delivery of the same replaces the first.
    package func deliver(_ message: Message) async throws(DeliveryFailure) {
        let mail = templates.mail(message)
        let link = message.values["ConfirmationURL"] ?? ""
        let code = message.values["Token"] ?? ""
        do throws(PostgresFault) {
            try await database.query(
                """
                insert into apus.inbox (id, channel, recipient, subject, body, link, code)
                values (\(bind: message.id)::uuid, \(bind: message.channel.rawValue),
                    \(bind: message.recipient), \(bind: mail.subject), \(bind: mail.text),
                    \(bind: link), \(bind: code))
                on conflict (id) do nothing
                """)
            try await database.query(
                """
                delete from apus.inbox where id in (
                    select id from apus.inbox order by received_at desc offset \(bind: Self.capacity)::int)
                """)
        } catch {
            throw .passing("the inbox cannot be written: \(error.message)")
        }
        var metadata: Logger.Metadata = ["to": "\(message.recipient)", "subject": "\(mail.subject)"]
        if !link.isEmpty { metadata["link"] = "\(link)" }
        if !code.isEmpty { metadata["code"] = "\(code)" }
        logger.notice("a message for somebody, see /dev/inbox", metadata: metadata)
    }

    /// What has come, newest first. What was put into the queue before has come: a script that signs up and then looks
    /// finds its mail.
    ///
    /// - Parameter recipient: an address or a number; nil: everybody's.
    package func letters(to recipient: String? = nil) async throws(PostgresFault) -> [Letter] {
        let wanted = recipient.map { SQLValue.text($0.lowercased()) } ?? .null
        let end = ContinuousClock.now + Self.patience
        // The queue is another's to empty and has no word for it; a look every few milliseconds, by a developer's page,
        // for the moment that it takes.
        while try await isExpectingSome(), ContinuousClock.now < end,
            (try? await Task.sleep(for: .milliseconds(10))) != nil
        {}
        let rows = try await database.query(
            """
            select id, channel, recipient, subject, body, link, code,
                to_char(received_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
            from apus.inbox
            where \(bind: wanted)::text is null or ltrim(lower(recipient), '+') = ltrim(\(bind: wanted), '+')
            order by received_at desc limit \(bind: Self.capacity)::int
            """)
        return (0..<rows.count).map { row in
            func text(_ column: Int) -> String { rows.string(row, column) ?? "" }
            return Letter(
                id: text(0), channel: text(1), recipient: text(2), subject: text(3), body: text(4),
                link: text(5),
                code: text(6), receivedAt: text(7))
        }
    }

    /// Whether something waits to be delivered, and was not tried in vain.
    private func isExpectingSome() async throws(PostgresFault) -> Bool {
        try await database.query(
            "select exists (select from apus.messages where failed_at is null and attempts < 2)"
        ).bool(0, 0) ?? false
    }
}

/// A message that has come to the inbox.
package struct Letter: Sendable, Equatable {
    package var id: String
    package var channel: String
    package var recipient: String
    package var subject: String
    /// The text part.
    package var body: String
    /// Empty when there is none.
    package var link: String
    /// Empty when there is none.
    package var code: String
    /// In UTC.
    package var receivedAt: String

    /// For programs: `/dev/inbox` with `Accept: application/json`.
    package var json: JSONValue {
        .object([
            "id": .string(id), "channel": .string(channel), "recipient": .string(recipient),
            "subject": .string(subject), "body": .string(body), "link": .string(link), "code": .string(code),
            "received_at": .string(receivedAt),
        ])
    }
}
