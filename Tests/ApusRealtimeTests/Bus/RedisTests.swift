import ApusPostgres
import ApusRealtime
import ApusTestSupport
import NIOPosix
import Testing

/// Several nodes, joined by a real Redis.
@Suite struct RedisTests {
    @Test func `messages reach the other nodes, in order, and not the node itself`() async throws {
        let redis = try await RedisServer.start()
        try await withBuses(3, redis) { buses in
            let heard = try await subscribe(buses, "room", redis)
            for number in 0..<200 { buses[0].publish("room", Array("\(number)".utf8)) }
            for other in heard[1...] { await other.until { $0.texts.count == 200 } }
            let all = (0..<200).map(String.init)
            #expect(heard[1].texts == all && heard[2].texts == all)
            #expect(heard[0].texts.isEmpty)
        }
        try await redis.kill()
    }

    @Test func `who may have missed something is told, and the bus goes on`() async throws {
        let redis = try await RedisServer.start()
        try await withBuses(2, redis) { buses in
            let heard = try await subscribe(buses, "room", redis)
            let before = heard[1].interruptions
            try await redis.kill()
            buses[0].publish("room", Array("lost".utf8))
            try await redis.start()
            await heard[1].until { $0.interruptions > before }
            #expect(heard[1].interruptions > before)
            try await subscribed(buses.count, "room", redis)
            _ = try await eventually {
                buses[0].publish("room", Array("again".utf8))
                return heard[1].texts.contains("again")
            }
            #expect(heard[1].texts.contains("again"))
        }
        try await redis.kill()
    }

    @Test func `every node hears every transaction once, also when the reader changes`() async throws {
        let redis = try await RedisServer.start()
        try await FeedDatabase.with { database in
            var nodes: [RelayedNode] = []
            for _ in 0..<3 { nodes.append(RelayedNode(database.settings(), redis)) }
            for node in nodes { await node.node.running() }
            try await database.insert(1...50)
            for node in nodes { await node.node.heard.until { $0.ids.count >= 50 } }
            for turn in 1...2 {
                let reader = try #require(nodes.firstIndex { $0.node.isReader })
                await nodes.remove(at: reader).stop()
                try await database.insert(turn * 100 + 1...turn * 100 + 50)
                for node in nodes { await node.node.heard.until { $0.ids.last == turn * 100 + 50 } }
            }
            #expect(nodes.count == 1)
            #expect(nodes[0].node.heard.ids == Array(1...50) + Array(101...150) + Array(201...250))
            #expect(nodes[0].node.heard.epochs.count == 1)
            await nodes[0].stop()
        }
        try await redis.kill()
    }

    /// PostgreSQL makes a slot only when what runs has ended, and shows it before it knows where it begins.
    @Test func `a node that comes while another makes the slot waits for it`() async throws {
        let redis = try await RedisServer.start()
        try await FeedDatabase.with { database in
            // A transaction that runs until we let go.
            let transaction = try Lifeline(
                "/usr/bin/env",
                [
                    "psql", database.cluster.conninfo(database: database.name), "-Xqc", "begin", "-c",
                    "select pg_current_xact_id()", "-f", "-",
                ])
            let running =
                "select count(*) from pg_stat_activity where backend_xid is not null"
                + " and state = 'idle in transaction' and datname = current_database()"
            #expect(try await eventually { try await database.value(running) == "1" })
            let maker = RelayedNode(database.settings(), redis)
            let made = """
                select count(*) from pg_replication_slots where database = current_database()
                and restart_lsn is not null and confirmed_flush_lsn is null
                """
            #expect(try await eventually { try await database.value(made) == "1" })
            let other = RelayedNode(database.settings(), redis)
            let waiting = """
                select count(*) from pg_locks where locktype = 'advisory' and not granted
                and database = (select oid from pg_database where datname = current_database())
                """
            _ = try await eventually {
                let waits = try await database.value(waiting) == "1"
                return waits || other.node.feed.state.isRunning
            }
            #expect(!other.node.feed.state.isRunning)
            transaction.letGo()
            let nodes = [maker, other]
            for node in nodes { await node.node.running() }
            try await database.insert(1...5)
            for node in nodes {
                await node.node.heard.until { $0.ids.count >= 5 }
                #expect(node.node.heard.ids == Array(1...5))
                #expect(node.node.heard.epochs.count == 1)
            }
            for node in nodes { await node.stop() }
        }
        try await redis.kill()
    }

    @Test func `what Redis lost is published again`() async throws {
        let redis = try await RedisServer.start()
        try await FeedDatabase.with { database in
            let nodes = [RelayedNode(database.settings(), redis), RelayedNode(database.settings(), redis)]
            for node in nodes { await node.node.running() }
            try await database.insert(1...10)
            for node in nodes { await node.node.heard.until { $0.ids.count >= 10 } }
            try await redis.kill()
            try await database.insert(11...20)
            try await redis.start()
            try await database.insert(21...30)
            for node in nodes { await node.node.heard.until { $0.ids.last == 30 } }
            for node in nodes {
                #expect(node.node.heard.ids == Array(1...30))
                #expect(node.node.heard.epochs.count == 1)
            }
            // A node that comes later can serve clients that resume, from what Redis holds.
            let late = RelayedNode(database.settings(), redis)
            await late.node.running()
            let seen = nodes[0].node.heard.transactions[4].lastPosition
            let resumed = Heard()
            let subscription = late.node.feed.subscribe(from: seen) { resumed.add($0) }
            await resumed.until { $0.ids.last == 30 }
            #expect(resumed.ids == Array(6...30))
            #expect(subscription != nil)
            for node in nodes + [late] { await node.stop() }
        }
        try await redis.kill()
    }

    /// More than goes to Redis at once, so that there are moments in between.
    @Test(arguments: [["flushall"], ["xtrim", "STREAM", "maxlen", "0"], ["xtrim", "STREAM", "maxlen", "7"]])
    func `nobody is told to have caught up who has not, whatever Redis loses`(loss: [String]) async throws {
        let redis = try await RedisServer.start()
        try await FeedDatabase.with { database in
            let reader = RelayedNode(database.settings(), redis)
            await reader.node.running()
            let epoch = try #require(reader.node.feed.head?.epoch)
            try await database.insert(1...500)
            await reader.node.heard.until { $0.ids.count >= 500 }
            let stream = "apus:feed:\(epoch)"
            #expect(try await eventually { try await redis.command("xlen", stream) == "500" })
            try await withBuses(1, redis) { buses in
                let told = try #require(try await subscribe(buses, "!feed:\(epoch)", redis).first)
                try await redis.command(loss.map { $0 == "STREAM" ? stream : $0 })
                try await database.insert(501...501)
                let all = loss.last == "7" ? "8" : "501"
                #expect(try await eventually { try await redis.command("xlen", stream) == all })
                await told.until { Self.says($0.texts.last, reader.node.heard.transactions.last) }
                for text in told.texts {
                    let known = reader.node.heard.transactions.filter { Self.isUpTo($0, text) }
                    #expect(known.count { Self.isIn($0, text) } == known.count, "\(text)")
                }
                // One that comes now hears everything that is left, and that it is all.
                let late = RelayedNode(database.settings(), redis)
                await late.node.running()
                _ = try await eventually { late.node.feed.caughtUp >= reader.node.feed.caughtUp }
                #expect(late.node.feed.head == reader.node.feed.head)
                await late.stop()
            }
            await reader.stop()
        }
        try await redis.kill()
    }

    /// `LSN-INDEX LSN`: the last entry, and up to where that is all there was.
    private static func progress(_ text: String) -> (last: UInt64, caughtUp: UInt64) {
        let numbers = text.split(whereSeparator: { $0 == "-" || $0 == " " }).compactMap { UInt64($0) }
        return numbers.count == 3 ? (numbers[0], numbers[2]) : (0, numbers.last ?? 0)
    }

    private static func isUpTo(_ transaction: FeedTransaction, _ text: String) -> Bool {
        transaction.endLSN.value <= progress(text).caughtUp
    }

    private static func isIn(_ transaction: FeedTransaction, _ text: String) -> Bool {
        transaction.position.lsn.value <= progress(text).last
    }

    private static func says(_ text: String?, _ transaction: FeedTransaction?) -> Bool {
        guard let text, let transaction else { return false }
        return isIn(transaction, text) && isUpTo(transaction, text)
    }

    @Test func `a node that does not read says how far the feed has come, when asked`() async throws {
        let redis = try await RedisServer.start()
        try await FeedDatabase.with { database in
            let nodes = [RelayedNode(database.settings(), redis), RelayedNode(database.settings(), redis)]
            for node in nodes { await node.node.running() }
            try await database.run("create table apus.elsewhere (id int)")
            let lsn = try #require(
                try await database.value("select pg_current_wal_insert_lsn()").flatMap { LSN($0) })
            let follower = try #require(nodes.first { !$0.node.isReader }).node
            _ = try await eventually {
                follower.feed.requestProgress()
                return follower.feed.caughtUp >= lsn
            }
            #expect(follower.feed.caughtUp >= lsn)
            for node in nodes { await node.stop() }
        }
        try await redis.kill()
    }

    // MARK: - Non public

    private func withBuses(
        _ count: Int, _ redis: RedisServer, _ body: ([RedisBus]) async throws -> Void
    ) async throws {
        let buses = try (0..<count).map { _ in try RelayedNode.bus(redis) }
        let running = Task {
            await withTaskGroup(of: Void.self) { group in
                for bus in buses { group.addTask { await bus.run() } }
            }
        }
        do { try await body(buses) } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
    }

    /// Subscribes every bus, and waits until Redis knows.
    private func subscribe(
        _ buses: [RedisBus], _ topic: String, _ redis: RedisServer
    ) async throws -> [BusHeard] {
        let heard = buses.map { BusHeard($0, topic) }
        try await subscribed(buses.count, topic, redis)
        _ = try await eventually { buses.allSatisfy(\.isConnected) }
        return heard
    }

    private func subscribed(_ count: Int, _ topic: String, _ redis: RedisServer) async throws {
        _ = try await eventually {
            try await redis.command("pubsub", "numsub", "apus:topic:\(topic)").hasSuffix("\(count)")
        }
    }
}

/// A node that hears through Redis what it does not read itself.
final class RelayedNode: Sendable {
    let node: FeedNode
    private let running: Task<Void, Never>

    init(_ settings: FeedSettings, _ redis: RedisServer) {
        let bus = try? Self.bus(redis)
        running = Task { await bus?.run() }
        node = FeedNode(settings, relay: bus.map { RedisFeedRelay($0, logger: FeedDatabase.quiet) })
    }

    static func bus(_ redis: RedisServer) throws -> RedisBus {
        RedisBus(
            try #require(RedisAddress(redis.url)), prefix: "apus",
            group: MultiThreadedEventLoopGroup.singleton,
            logger: FeedDatabase.quiet)
    }

    func stop() async {
        await node.stop()
        running.cancel()
        await running.value
    }
}

/// What a bus brought under a topic.
final class BusHeard: Sendable {
    private let events = Locked<[BusEvent]>([])
    private let subscription = Locked<BusSubscription?>(nil)

    init(_ bus: any Bus, _ topic: String) {
        let subscription = bus.subscribe(topic) { [weak self] event in
            self?.events.withLock { $0.append(event) }
        }
        self.subscription.withLock { $0 = subscription }
    }

    var texts: [String] {
        events.withLock { $0 }.compactMap {
            if case .message(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }
    var interruptions: Int {
        events.withLock { $0 }.count { if case .interrupted = $0 { true } else { false } }
    }

    func until(_ condition: (BusHeard) -> Bool) async {
        _ = try? await eventually { condition(self) }
    }
}
