/// What a listener hears.
package enum DatabaseNotification: Sendable, Equatable {
    /// A `NOTIFY` (PostgreSQL, "NOTIFY"); `pid` is the notifying backend's.
    case message(channel: String, payload: String, pid: Int32)
    /// Listening has begun, or begun again after a pause in which messages may have been lost: read afresh
    /// what the messages are about.
    case reconnected
}
