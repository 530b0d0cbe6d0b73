package import ApusPostgres
import ApusSQL

extension TopicAuthorizer {
    /// What was broadcast on a private topic, as far as the caller's policies show it: the newest messages since the
    /// moment that was asked for, oldest first.
    package func history(
        of topic: String, _ replay: JoinRequest.Replay, for principal: Principal
    ) async throws(PostgresFault) -> [Broadcast] {
        let query: SQL = """
            select id::text, event, payload from (
                select id, event, payload, inserted_at from realtime.messages
                where topic = \(bind: topic) and private and extension = 'broadcast'
                    and inserted_at >= timestamp 'epoch' + \(bind: Int(replay.since))::text::bigint
                        * interval '1 millisecond'
                order by inserted_at desc limit \(bind: replay.limit)::text::int
            ) as newest order by inserted_at
            """
        let trip = RoundTrip(
            steps: [opening(principal, topic), .init(Statement(query))], role: principal.role,
            isReadOnly: true)
        guard let rows = try await database.execute(trip, timeout: Self.timeout).first else { return [] }
        return (0..<rows.count).map { row in
            Broadcast(
                event: rows.string(row, 1) ?? "",
                payload: .json(Array((rows.string(row, 2) ?? "{}").utf8)[...]), form: .user,
                id: rows.string(row, 0), isReplayed: true)
        }
    }
}
