/// Servers that suites share. Each has a database of its own and ends with the test process.
enum Servers {
    /// For tests that only read.
    static let reading = Task { try await TestServer.start() }

    /// For tests that write: every request is undone at its end, unless it says `Prefer: tx=commit`, so tests that
    /// run at the same time do not see each other.
    static let writing = Task { try await TestServer.start(["db-tx-end": "rollback-allow-override"]) }

    /// With what is off unless somebody turns it on.
    static let generous = Task {
        try await TestServer.start([
            "db-aggregates-enabled": "true", "db-plan-enabled": "true", "server-timing-enabled": "true",
            "server-trace-header": "X-Request-Id",
        ])
    }
}
