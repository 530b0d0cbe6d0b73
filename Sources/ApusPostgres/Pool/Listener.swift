/// A stream of notifications as the reactor sees it from outside.
final class Listener: Sendable {
    let channels: [String]
    let continuation: AsyncStream<DatabaseNotification>.Continuation

    init(channels: [String], continuation: AsyncStream<DatabaseNotification>.Continuation) {
        self.channels = channels
        self.continuation = continuation
    }

    func finish() { continuation.finish() }
}

/// A listener's connection, which the reactor's thread owns.
struct ListenerState {
    let listener: Listener
    var wire: WireConnection?
    var token: UInt64 = 0
    var backoff = JitteredBackoff()
    /// When to try to connect again; never while connected or connecting.
    var retryAt = MonotonicTime.never
    /// The reader was too slow and missed something; it must be told to read afresh.
    var owesReconnected = false

    /// Hands a notification to the reader, whose buffer is bounded.
    mutating func yield(_ notification: DatabaseNotification) {
        if owesReconnected {
            guard case .enqueued = listener.continuation.yield(.reconnected) else { return }
            owesReconnected = false
        }
        if case .dropped = listener.continuation.yield(notification) { owesReconnected = true }
    }
}
