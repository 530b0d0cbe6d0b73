import ApusJSON
package import ApusPostgres
package import ApusSQL

/// Messages that wait to be delivered, in `apus.messages`.
///
/// A message is put there in the transaction of what it tells of, so there is neither a mail about a user who was
/// rolled back nor a user whose mail is lost; delivering is ``MessageWorker``'s, at its own pace.
package struct MessageQueue: Sendable {
    /// What is announced when a message was put in.
    static let channel = "apus_messages"

    private let seal: MessageSeal

    package init(seal: MessageSeal) { self.seal = seal }

    // MARK: - Putting in

    /// A statement that puts a message in; may travel in the round trip of the change that it tells of. The role it
    /// runs as needs INSERT on `apus.messages` and USAGE on `apus`.
    ///
    /// - Throws: when the message cannot be sealed, which no message that a client can cause does.
    package func enqueueing(_ message: Message) throws(DeliveryFailure) -> SQL {
        guard let payload = try? seal.seal(message.payload.bytes, message.id) else {
            throw .permanent("a message could not be sealed")
        }
        let user = message.userID.map { SQLValue.text($0) } ?? .null
        return """
            with message as (
                insert into apus.messages (id, channel, kind, user_id, payload, expires_at)
                values (\(bind: message.id)::uuid, \(bind: message.channel.rawValue),
                    \(bind: message.kind.rawValue), \(bind: user)::uuid,
                    \(bind: .binary(payload, oid: TypeOID.bytea)),
                    now() + make_interval(secs => \(bind: message.lifetime)::float8)))
            select pg_catalog.pg_notify('apus_messages', '')
            """
    }

    /// Puts a message in, as part of the session's transaction.
    package func enqueue(_ message: Message, on session: Session) async throws {
        try await session.query(try enqueueing(message))
    }

    // MARK: - Taking out

    /// Takes up to `limit` due messages of a channel for `lease` seconds. Nobody else gets them meanwhile; when this
    /// process has died by then, somebody does.
    func claim(
        _ limit: Int, of channel: Message.Channel, lease: Int, in database: Database
    ) async throws(PostgresFault) -> [Claim] {
        let rows = try await database.query(
            """
            update apus.messages set due_at = now() + make_interval(secs => \(bind: lease)::float8),
                attempts = attempts + 1
            where id in (
                select id from apus.messages
                where failed_at is null and due_at <= now() and channel = \(bind: channel.rawValue)
                order by due_at limit \(bind: limit)::int for update skip locked)
            returning id, channel, kind, user_id, encode(payload, 'base64'), attempts, expires_at <= now()
            """)
        return (0..<rows.count).compactMap { claim(rows, $0) }
    }

    /// Milliseconds until the channel's next message is due; a leased one is, when its lease ends. nil: there is none.
    func untilNext(of channel: Message.Channel, in database: Database) async throws(PostgresFault) -> Int? {
        try await database.query(
            """
            select ceil(extract(epoch from min(due_at) - clock_timestamp()) * 1000)::bigint
            from apus.messages where failed_at is null and channel = \(bind: channel.rawValue)
            """
        ).int(0, 0)
    }

    /// Prolongs the leases of what is being delivered.
    func renew(_ ids: [String], lease: Int, in database: Database) async throws(PostgresFault) {
        try await database.query(
            """
            update apus.messages set due_at = now() + make_interval(secs => \(bind: lease)::float8)
            where failed_at is null and id = any(\(bind: "{" + ids.joined(separator: ",") + "}")::uuid[])
            """)
    }

    // MARK: - Settling

    /// It was delivered: nothing of it is kept.
    func delivered(_ claim: Claim, in database: Database) async throws(PostgresFault) {
        try await database.query("delete from apus.messages where id = \(bind: claim.id)::uuid")
    }

    /// Tries again after `pause` seconds.
    func postpone(
        _ claim: Claim, seconds pause: Double, reason: String, in database: Database
    )
        async throws(PostgresFault)
    {
        try await database.query(
            """
            update apus.messages set due_at = now() + make_interval(secs => \(bind: String(pause))::float8),
                last_error = \(bind: reason)
            where id = \(bind: claim.id)::uuid and attempts = \(bind: claim.attempt)::int
            """)
    }

    /// Gives it up: what it said is removed, that it failed is kept for a week.
    func giveUp(_ claim: Claim, reason: String, in database: Database) async throws(PostgresFault) {
        try await database.query(
            """
            update apus.messages set failed_at = now(), payload = null, last_error = \(bind: reason)
            where id = \(bind: claim.id)::uuid
            """)
    }

    /// Gives up what expired and nobody took, because nothing delivers this channel; forgets failures of more than a
    /// week ago.
    func tidy(in database: Database) async throws(PostgresFault) {
        try await database.query(
            """
            update apus.messages set failed_at = now(), payload = null, last_error = 'nothing delivers this channel'
            where failed_at is null and expires_at < now() - interval '1 hour' and due_at < now() - interval '1 hour'
            """)
        try await database.query(
            "delete from apus.messages where failed_at < now() - interval '7 days'")
    }

    // MARK: - Non public

    /// A message that this process delivers now.
    struct Claim: Sendable {
        let id: String
        /// 1 for the first.
        let attempt: Int
        let isExpired: Bool
        /// nil when it cannot be opened: sealed with another key, or by a later version.
        let message: Message?
    }

    private func claim(_ rows: Rows, _ row: Int) -> Claim? {
        guard let id = rows.string(row, 0), let attempt = rows.int(row, 5) else { return nil }
        var message: Message?
        let base64 = rows.string(row, 4)?.filter { $0 != "\n" }
        if let sealed = base64.flatMap({ Base64.decode($0) }), let opened = seal.open(sealed, id),
            let payload = try? JSONReader.read(opened)
        {
            message = Message(
                id: id, channel: rows.string(row, 1) ?? "", kind: rows.string(row, 2) ?? "",
                payload: payload, userID: rows.string(row, 3))
        }
        return Claim(id: id, attempt: attempt, isExpired: rows.bool(row, 6) ?? false, message: message)
    }
}
