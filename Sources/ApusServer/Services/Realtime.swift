import ApusFaults
package import ApusRealtime
import ApusTelemetry
package import Logging
package import NIOCore

/// The change feed and the bus of this process, and what keeps them going.
package struct Realtime: Sendable {
    package let feed: ChangeFeed
    package let bus: any Bus
    private let service: FeedService?
    private let redis: RedisBus?

    /// No feed, and nobody else on the bus.
    package static var off: Realtime {
        let feed = ChangeFeed(log: FeedLog(byteLimit: 0))
        feed.switchOff()
        return Realtime(feed: feed, bus: InProcessBus(), service: nil, redis: nil)
    }

    /// - Parameter connectionString: where nothing else is configured for the feed.
    package static func make(
        _ settings: Settings, connectionString: String, group: any EventLoopGroup, logger: Logger
    ) throws -> Realtime {
        guard settings.boolean("realtime-enabled") else { return .off }
        let feedSettings = settings.feed(connectionString: connectionString)
        let feed = ChangeFeed(log: FeedLog(byteLimit: feedSettings.logBytes))
        let redis = try settings.bus(group, logger)
        let relay = redis.map { RedisFeedRelay($0, logger: logger) }
        return Realtime(
            feed: feed, bus: redis ?? InProcessBus(),
            service: FeedService(feed, settings: feedSettings, relay: relay, logger: logger), redis: redis)
    }

    /// Returns when the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await service?.run() }
            group.addTask { await redis?.run() }
            // A service that ends takes the server with it, and with nothing to run this one would.
            group.addTask { while (try? await Task.sleep(for: .seconds(86_400))) != nil {} }
        }
    }

    /// Shows the feed with every scrape.
    func watch(_ metrics: PrometheusMetricsFactory) {
        metrics.addCollector { [feed] text in feed.statistics.collect(into: &text) }
    }
}

extension Settings {
    /// The bus to other nodes; nil where there are none.
    ///
    /// - Throws: when its address is none.
    fileprivate func bus(_ group: any EventLoopGroup, _ logger: Logger) throws -> RedisBus? {
        guard let uri = string("realtime-bus-uri") else { return nil }
        guard let address = RedisAddress(uri) else {
            throw Fault(
                code: "APUS002", kind: .invalid,
                message: "The setting 'realtime-bus-uri' does not hold: it is no address of a Redis.",
                hint: "redis://[user:password@]host[:port][/database], or rediss:// for TLS")
        }
        return RedisBus(
            address, prefix: string("realtime-bus-prefix") ?? "apus", group: group, logger: logger)
    }

    func feed(connectionString: String) -> FeedSettings {
        var schemas = schemas
        for more in list("realtime-schemas") + ["auth", "realtime"] where !schemas.contains(more) {
            schemas.append(more)
        }
        var feed = FeedSettings(
            connectionString: string("realtime-db-uri") ?? connectionString, schemas: schemas)
        feed.slot = string("realtime-slot")
        feed.publication = string("realtime-publication") ?? "apus"
        feed.logBytes = integer("realtime-log-size") ?? feed.logBytes
        feed.resumeWindow = .seconds(integer("realtime-resume-window") ?? 60)
        feed.spillDirectory = string("realtime-spill-dir") ?? feed.spillDirectory
        return feed
    }
}

extension FeedStatistics {
    fileprivate func collect(into text: inout PrometheusText) {
        func gauge(_ name: String, _ value: Double?, _ help: String) {
            guard let value else { return }
            text.family(name, .gauge, help: help)
            text.sample(name, value)
        }
        func counter(_ name: String, _ value: Int, _ help: String) {
            text.family(name, .counter, help: help)
            text.sample(name, Double(value))
        }
        gauge("apus_feed_running", isRunning ? 1 : 0, "Whether changes arrive at this node.")
        gauge("apus_feed_reader", isReader ? 1 : 0, "Whether this node reads the replication slot.")
        counter("apus_feed_transactions_total", transactions, "Transactions that the feed brought.")
        counter("apus_feed_changes_total", changes, "Changes of rows that the feed brought.")
        counter("apus_feed_breaks_total", breaks, "Times that continuity was broken.")
        gauge("apus_feed_log_bytes", Double(logBytes), "Memory of the recent transactions.")
        gauge("apus_feed_log_transactions", Double(logTransactions), "Recent transactions in memory.")
        gauge("apus_feed_commit_delay_seconds", commitDelay, "From the last commit to its publication.")
        gauge("apus_feed_slot_lag_bytes", slotLag, "Log that was written and is not confirmed.")
        gauge("apus_feed_slot_retained_bytes", slotRetained, "Log that the slot holds back.")
        gauge("apus_feed_slot_safe_bytes", slotSafe, "Log that may be written before the slot is lost.")
    }
}
