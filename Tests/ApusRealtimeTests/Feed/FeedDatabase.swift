import ApusMigrations
import ApusPostgres
import ApusRealtime
import ApusSQL
import ApusTestSupport
import Logging
import Synchronization

/// A database with Apus's own schema and a table, and feeds that read it.
final class FeedDatabase: Sendable {
    private static let counter = Atomic(0)

    let name: String
    let cluster: ThrowawayCluster
    /// As the superuser.
    let owner: Database

    private init(name: String, cluster: ThrowawayCluster) {
        self.name = name
        self.cluster = cluster
        owner = Self.connect(cluster.conninfo(database: name), connections: 4)
    }

    /// Runs `body` with a database, and takes away what it leaves.
    static func with<R: Sendable>(
        on cluster: ThrowawayCluster? = nil, _ body: (FeedDatabase) async throws -> R
    ) async throws -> R {
        let cluster = if let cluster { cluster } else { try await ThrowawayCluster.shared.value }
        let name = "feed_\(counter.add(1, ordering: .relaxed).newValue)"
        let maintenance = connect(cluster.conninfo(), connections: 1)
        try await maintenance.query("create database \(ident: name)")
        let database = FeedDatabase(name: name, cluster: cluster)
        let result: Result<R, any Error>
        do {
            let steps = SystemStep.all(catalogEventTrigger: nil)
            try await SystemMigrator(database: database.owner, steps: steps).run()
            try await database.run(
                "create table items (id int primary key, name text, price numeric, note text)")
            result = .success(try await body(database))
        } catch {
            result = .failure(error)
        }
        await database.owner.shutdown()
        _ = try? await maintenance.query(
            """
            select pg_terminate_backend(active_pid) from pg_replication_slots where database = \(bind: name)
            and active
            """)
        for _ in 0..<100 {
            let dropped = try? await maintenance.query(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = \(bind: name)"
            )
            if dropped != nil { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        _ = try? await maintenance.query("drop database \(ident: name) with (force)")
        await maintenance.shutdown()
        return try result.get()
    }

    /// Statements as the owner.
    func run(_ script: String) async throws {
        try await owner.withSession { try await $0.simpleQuery(script) }
    }

    func value(_ query: String) async throws -> String? {
        try await owner.query(SQL(trusted: query)).string(0, 0)
    }

    func settings(_ change: (inout FeedSettings) -> Void = { _ in }) -> FeedSettings {
        var settings = FeedSettings(
            connectionString: cluster.conninfo(database: name), schemas: ["public"])
        // What is held back is counted in the log of the cluster, where other tests write too.
        settings.logBytes = 1 << 30
        settings.standbyInterval = .milliseconds(100)
        settings.healthInterval = .milliseconds(200)
        change(&settings)
        return settings
    }

    static func connect(_ conninfo: String, connections: Int) -> Database {
        var configuration = DatabaseConfiguration(connectionString: conninfo)
        configuration.connections = connections
        configuration.acquisitionTimeout = .seconds(120)
        return Database(configuration, logger: quiet)
    }

    static let quiet: Logger = {
        var logger = Logger(label: "feed-tests")
        logger.logLevel = .critical
        return logger
    }()
}

/// A node: a feed, what keeps it going, and what a subscriber of it heard.
final class FeedNode: Sendable {
    let feed: ChangeFeed
    let heard = Heard()
    private let subscription: FeedSubscription?
    private let task: Task<Void, Never>

    init(_ settings: FeedSettings, relay: RedisFeedRelay? = nil) {
        let feed = ChangeFeed(log: FeedLog(byteLimit: settings.logBytes))
        self.feed = feed
        let heard = heard
        subscription = feed.subscribe(from: nil) { heard.add($0) }
        let service = FeedService(feed, settings: settings, relay: relay, logger: FeedDatabase.quiet)
        task = Task { await service.run() }
    }

    /// Waits until it reads the slot.
    func running() async {
        _ = try? await eventually { self.feed.state.isRunning }
    }

    /// Whether it is the one that reads the slot.
    var isReader: Bool { if case .running(true) = feed.state { true } else { false } }

    func stop() async {
        task.cancel()
        await task.value
        subscription?.cancel()
    }
}
