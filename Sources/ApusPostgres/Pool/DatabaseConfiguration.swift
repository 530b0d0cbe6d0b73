/// How to reach a database and how much to ask of it.
package struct DatabaseConfiguration: Sendable {
    /// libpq's conninfo or URI (PostgreSQL, "Connection Strings"): many hosts, TLS and the rest as libpq
    /// does them.
    package var connectionString: String
    /// The most connections that requests and sessions use together. Listeners have their own.
    package var connections: Int = 10
    /// Threads among which the connections are shared out: one for each event loop keeps more processors busy. Never so many
    /// that one has fewer than eight connections.
    package var reactors: Int = 1
    /// The most round trips in flight on one connection.
    package var pipelineDepth: Int = 16
    /// The most requests that wait; one more fails with `poolFull`.
    package var queueLimit: Int = 10_000
    /// The longest wait for a connection; then `poolTimeout`, or `unavailable` while the server is away.
    package var acquisitionTimeout: Duration = .seconds(10)
    /// The deadline of a round trip that brings none; nil: none.
    package var statementTimeout: Duration?
    /// Off for connection poolers that give every transaction another backend.
    package var preparesStatements: Bool = true
    /// The most prepared statements on one connection.
    package var preparedStatementLimit: Int = 1_000
    /// Settings of every connection, for instance `search_path` or `application_name`.
    package var sessionParameters: [(String, String)] = []
    /// Bound on one attempt to connect.
    package var connectTimeout: Duration = .seconds(10)
    /// Bound on what is still running when the driver stops.
    package var shutdownTimeout: Duration = .seconds(10)

    package init(connectionString: String) {
        self.connectionString = connectionString
    }

    /// What each reactor gets: its own connections and places in the queue.
    var shares: [DatabaseConfiguration] {
        let count = max(1, min(reactors, connections / Self.fewestConnections))
        return (0..<count).map { index in
            var share = self
            share.connections = connections / count + (index < connections % count ? 1 : 0)
            share.queueLimit = max(1, queueLimit / count)
            return share
        }
    }

    /// For slow statements and quick ones beside them, and for sessions.
    private static let fewestConnections = 8
}
