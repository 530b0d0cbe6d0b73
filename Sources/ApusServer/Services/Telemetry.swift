import ApusEdge
import ApusHTTP
import ApusPostgres
import ApusTelemetry
import ApusTokens
import Foundation
package import Logging
import Metrics

/// Log and metrics of this process.
package struct Telemetry: Sendable {
    /// The log of this process, at `log-level`.
    package let logger: Logger
    /// For libraries whose chatter nobody asked for.
    let quietLogger: Logger
    let metrics: PrometheusMetricsFactory

    /// Sets up both; to be called once in a process, a second call keeps the first set-up.
    package static func start(_ settings: Settings) -> Telemetry {
        let level = Logger.Level(rawValue: settings.string("log-level") ?? "info") ?? .info
        let detected = LogFormat.detected(descriptor: 2, environment: ProcessInfo.processInfo.environment)
        let format: LogFormat =
            switch settings.string("log-format") {
            // Colours only where a terminal shows them.
            case "text": detected == .jsonLines ? .terminal(colours: false) : detected
            case "json": .jsonLines
            default: detected
            }
        func logger(_ level: Logger.Level) -> Logger {
            Logger(label: "apus") { LineLogHandler(label: $0, format: format, level: level) }
        }
        return Telemetry(logger: logger(level), quietLogger: logger(max(level, .error)), metrics: shared)
    }

    private static let shared: PrometheusMetricsFactory = {
        let factory = PrometheusMetricsFactory()
        MetricsSystem.bootstrap(factory)
        factory.addCollector { ProcessCollector.collect(into: &$0) }
        let build = BuildInfo(version: BuildInformation.version)
        factory.addCollector { build.collect(into: &$0) }
        return factory
    }()

    /// Shows gauges of the pool, the connections and the cache with every scrape.
    func watch(database: Database, connections: ConnectionGate, gateway: Gateway) {
        metrics.addCollector { text in
            let pool = database.statistics
            text.family("db_client_connections", .gauge, help: "Connections to the database, by state.")
            text.sample("db_client_connections", labels: [("state", "idle")], Double(pool.idle))
            text.sample("db_client_connections", labels: [("state", "used")], Double(pool.inUse))
            text.family(
                "db_client_connection_pending_requests", .gauge, help: "Requests that wait for a connection.")
            text.sample("db_client_connection_pending_requests", Double(pool.waiting))
            text.family("apus_db_round_trips_in_flight", .gauge, help: "Round trips on their way.")
            text.sample("apus_db_round_trips_in_flight", Double(pool.inFlight))
            text.family("apus_db_round_trips_total", .counter, help: "Round trips, by outcome.")
            text.sample(
                "apus_db_round_trips_total", labels: [("outcome", "completed")], Double(pool.completed))
            text.sample("apus_db_round_trips_total", labels: [("outcome", "failed")], Double(pool.failed))
            text.sample("apus_db_round_trips_total", labels: [("outcome", "repeated")], Double(pool.repeated))
            text.family(
                "apus_db_shared_round_trips_total", .counter,
                help: "Round trips that joined the transaction of another one.")
            text.sample("apus_db_shared_round_trips_total", Double(pool.shared))
            text.family(
                "apus_db_connections_opened_total", .counter, help: "Connections opened to the database.")
            text.sample("apus_db_connections_opened_total", Double(pool.connectionsOpened))
            text.family("apus_db_connections_lost_total", .counter, help: "Connections that broke.")
            text.sample("apus_db_connections_lost_total", Double(pool.connectionsLost))
        }
        metrics.addCollector { text in
            text.family("http_server_open_connections", .gauge, help: "Connections of clients.")
            text.sample("http_server_open_connections", Double(connections.count))
            text.family(
                "apus_http_refusals_total", .counter, help: "Requests and connections refused by a limit.")
            text.sample("apus_http_refusals_total", Double(connections.refusals))
            let tokens = gateway.tokenCacheStatistics
            text.family("apus_token_cache_lookups_total", .counter, help: "Lookups of verified tokens.")
            text.sample("apus_token_cache_lookups_total", labels: [("outcome", "hit")], Double(tokens.hits))
            text.sample(
                "apus_token_cache_lookups_total", labels: [("outcome", "miss")], Double(tokens.misses))
            text.family("apus_token_cache_entries", .gauge, help: "Verified tokens that are kept.")
            text.sample("apus_token_cache_entries", Double(tokens.entries))
            let cache = gateway.cacheStatistics
            text.family("apus_plan_cache_lookups_total", .counter, help: "Lookups of compiled requests.")
            text.sample("apus_plan_cache_lookups_total", labels: [("outcome", "hit")], Double(cache.hits))
            text.sample("apus_plan_cache_lookups_total", labels: [("outcome", "miss")], Double(cache.misses))
            let gathered = gateway.gatherStatistics
            text.family(
                "apus_db_gathered_statements_total", .counter,
                help: "Statements that answered several reads at once.")
            text.sample("apus_db_gathered_statements_total", Double(gathered.statements))
            text.family("apus_db_gathered_reads_total", .counter, help: "Reads that they answered.")
            text.sample("apus_db_gathered_reads_total", Double(gathered.reads))
            Self.show(gateway.liveStatistics, in: &text)
        }
    }

    private static func show(_ live: LiveStatistics, in text: inout PrometheusText) {
        text.family("apus_response_cache_lookups_total", .counter, help: "Lookups of kept answers.")
        text.sample("apus_response_cache_lookups_total", labels: [("outcome", "hit")], Double(live.hits))
        text.sample("apus_response_cache_lookups_total", labels: [("outcome", "miss")], Double(live.misses))
        text.family("apus_response_cache_drops_total", .counter, help: "Kept answers that changes made void.")
        text.sample("apus_response_cache_drops_total", Double(live.dropped))
        text.family("apus_response_cache_bytes", .gauge, help: "Memory of kept answers.")
        text.sample("apus_response_cache_bytes", Double(live.bytes))
        text.family("apus_live_streams", .gauge, help: "Reads that are followed.")
        text.sample("apus_live_streams", Double(live.streams))
        text.family(
            "apus_live_reads_total", .counter,
            help: "Times the database was asked for reads that are followed.")
        text.sample("apus_live_reads_total", Double(live.reads))
    }
}
