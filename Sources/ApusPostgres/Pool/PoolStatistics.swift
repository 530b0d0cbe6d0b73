/// The state of the pool at one moment, for gauges, and totals since the start, for counters.
package struct PoolStatistics: Sendable, Equatable {
    /// Usable connections, whatever they do.
    package var open = 0
    /// Attempts to connect that are under way.
    package var connecting = 0
    /// Connections with at least one round trip in flight, or checked out.
    package var inUse = 0
    /// Connections that are checked out to a session.
    package var exclusive = 0
    /// Connections that wait for work.
    package var idle = 0
    /// Requests that wait for a connection.
    package var waiting = 0
    /// Requests that were sent and are not answered.
    package var inFlight = 0
    /// Totals.
    package var completed: UInt64 = 0
    package var failed: UInt64 = 0
    /// Sent a second time, after a lost connection, a stale plan or a cancel that hit the wrong one.
    package var repeated: UInt64 = 0
    package var cancelsSent: UInt64 = 0
    /// Round trips that joined the transaction of another one.
    package var shared: UInt64 = 0
    package var connectionsOpened: UInt64 = 0
    package var connectionsLost: UInt64 = 0
    /// As `PQserverVersion`, for instance 150004; nil before the first connection.
    package var serverVersion: Int?

    static func + (one: PoolStatistics, other: PoolStatistics) -> PoolStatistics {
        PoolStatistics(
            open: one.open + other.open, connecting: one.connecting + other.connecting,
            inUse: one.inUse + other.inUse, exclusive: one.exclusive + other.exclusive,
            idle: one.idle + other.idle, waiting: one.waiting + other.waiting,
            inFlight: one.inFlight + other.inFlight, completed: one.completed + other.completed,
            failed: one.failed + other.failed, repeated: one.repeated + other.repeated,
            cancelsSent: one.cancelsSent + other.cancelsSent, shared: one.shared + other.shared,
            connectionsOpened: one.connectionsOpened + other.connectionsOpened,
            connectionsLost: one.connectionsLost + other.connectionsLost,
            serverVersion: one.serverVersion ?? other.serverVersion)
    }
}

/// Where the reactor shows its statistics to other threads.
final class StatisticsBoard: Sendable {
    private let content = Locked(PoolStatistics())

    var current: PoolStatistics { content.withLock { $0 } }

    func show(_ statistics: PoolStatistics) {
        content.withLock { $0 = statistics }
    }
}
