/// What is known about a metric besides its values: swift-metrics carries only a label.
package struct MetricDescription: Sendable {
    /// The unit that a metric's name ends in. Timers are in seconds without being told.
    package enum Unit: Sendable {
        case none
        case seconds
        case bytes
    }

    /// The label that the metric is made with, for instance `http.server.request.duration`.
    package let label: String
    /// The name to show instead of the one derived from ``label``, without `_total` and unit.
    package let name: String?
    /// One sentence for `# HELP`.
    package let help: String
    package let unit: Unit
    /// Upper bounds for timers and recorders, ascending, in ``unit``.
    package let buckets: [Double]

    package init(
        _ label: String, name: String? = nil, unit: Unit = .none, buckets: [Double] = defaultBuckets,
        help: String
    ) {
        self.label = label
        self.name = name
        self.help = help
        self.unit = unit
        self.buckets = buckets.filter(\.isFinite).sorted()
    }

    /// OpenTelemetry's advice for durations in seconds (semantic conventions, "HTTP metrics"), and finer below,
    /// where an answer by key is.
    package static let defaultBuckets = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]

    /// For sizes in bytes: powers of four from 256 bytes to 64 MiB.
    package static let sizeBuckets: [Double] = (4...13).map { Double(1 << ($0 * 2)) }
}

extension MetricDescription {
    /// OpenTelemetry's semantic conventions, as far as a server in front of a database uses them.
    package static let wellKnown = [
        MetricDescription(
            "http.server.request.duration", unit: .seconds, help: "Duration of HTTP server requests."),
        MetricDescription("http.server.active_requests", help: "Number of HTTP server requests in flight."),
        MetricDescription(
            "http.server.request.body.size", unit: .bytes, buckets: sizeBuckets,
            help: "Size of HTTP server request bodies."),
        MetricDescription(
            "http.server.response.body.size", unit: .bytes, buckets: sizeBuckets,
            help: "Size of HTTP server response bodies."),
        MetricDescription(
            "db.client.operation.duration", unit: .seconds, help: "Duration of database client operations."),
        // The convention's name ends in "count", which in Prometheus is a part of a histogram.
        MetricDescription(
            "db.client.connection.count", name: "db_client_connections",
            help: "Number of database connections by state."),
        MetricDescription(
            "db.client.connection.max", help: "Maximum number of open database connections allowed."),
        MetricDescription(
            "db.client.connection.pending_requests", help: "Number of requests waiting for a connection."),
        MetricDescription(
            "db.client.connection.wait_time", unit: .seconds,
            help: "Time that requests waited for a connection."),
        MetricDescription(
            "db.client.connection.timeouts", help: "Number of requests that waited too long for a connection."
        ),
    ]
}
