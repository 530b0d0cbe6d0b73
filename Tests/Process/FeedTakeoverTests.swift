import ApusTestSupport
import Foundation
import Testing

/// Several real nodes on one database: one reads the change feed, and when it dies another does.
@Suite struct FeedTakeoverTests {
    private static let migration = "create table ticks (id int primary key)"

    /// What `/health/feed` says.
    private struct Health: Decodable {
        var status: String
        var reader: Bool?
        var epoch: UInt64?
    }

    private static func nodes(
        _ count: Int, _ name: String, _ more: [String] = []
    ) async throws -> [ServerProcess] {
        let cluster = try await ThrowawayCluster.shared.value
        _ = try await psql(cluster.conninfo(), "create database \(name)")
        var nodes: [ServerProcess] = []
        for _ in 0..<count {
            nodes.append(
                try await ServerProcess.start(
                    migration: migration,
                    [
                        "--db-uri", cluster.conninfo(database: name, user: "authenticator"), "--db-admin-uri",
                        cluster.conninfo(database: name),
                    ] + more))
        }
        return nodes
    }

    @Test func theStandbyTakesOverWithinFiveSeconds() async throws {
        var nodes = try await Self.nodes(2, "feed_takeover")
        let reader = try await Self.reader(of: nodes)
        let epoch = try await Self.health(nodes[reader]).epoch
        #expect(try await eventually { try await Self.health(nodes[1 - reader]).status == "standby" })
        try await Self.tick("feed_takeover", 1...20)
        #expect(try await eventually { try await Self.transactions(nodes[reader]) == 20 })
        let dead = nodes.remove(at: reader)
        let begun = ContinuousClock.now
        dead.signal(SIGKILL)
        #expect(await dead.end() == -SIGKILL)
        #expect(try await eventually { try await Self.health(nodes[0]).reader == true })
        #expect(ContinuousClock.now - begun < .seconds(5))
        try await Self.tick("feed_takeover", 21...40)
        // What the dead one had read comes again to the one that took over.
        #expect(try await eventually { try await Self.transactions(nodes[0]) == 40 })
        #expect(try await Self.health(nodes[0]).epoch == epoch)
    }

    @Test func threeNodesHearEverythingThroughRedis() async throws {
        let redis = try await RedisServer.start()
        var nodes = try await Self.nodes(3, "feed_three", ["--realtime-bus-uri", redis.url])
        try await Self.tick("feed_three", 1...50)
        for node in nodes {
            #expect(try await eventually { try await Self.transactions(node) == 50 })
        }
        // Redis comes back empty.
        try await redis.kill()
        try await Self.tick("feed_three", 51...70)
        try await redis.start()
        for node in nodes {
            #expect(try await eventually { try await Self.transactions(node) == 70 }, "after Redis")
        }
        let dead = nodes.remove(at: try await Self.reader(of: nodes))
        let begun = ContinuousClock.now
        dead.signal(SIGKILL)
        _ = await dead.end()
        _ = try await Self.reader(of: nodes)
        #expect(ContinuousClock.now - begun < .seconds(5))
        try await Self.tick("feed_three", 71...100)
        for node in nodes {
            #expect(try await eventually { try await Self.transactions(node) == 100 }, "after the kill")
            #expect(try await Self.metric("apus_feed_breaks_total", node) == 0)
        }
        // The dead one comes back and has the whole of it.
        try dead.launch()
        try await dead.ready()
        #expect(try await eventually { try await Self.health(dead).status == "running" })
        try await redis.kill()
    }

    @Test(.enabled("needs root, ip and the right to make network namespaces") { try await makesNetworks() })
    func aNodeWhoseNetworkIsCutLosesTheFeedAndComesBack() async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("feed-network-cut").path
        let binaries = ProcessInfo.processInfo.environment["APUS_TEST_PG_BIN"] ?? "/usr/lib/postgresql/15/bin"
        let outcome = try await Program.run(executable: script, [Program.path, binaries], in: "/tmp")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }

    // MARK: - Non public

    /// Tried, because containers often forbid it to root too.
    private static func makesNetworks() async throws -> Bool {
        let attempt = """
            PATH=$PATH:/usr/sbin:/sbin
            ip netns add apus-$$ && ip netns exec apus-$$ ip link set lo up; made=$?
            ip netns del apus-$$; exit $made
            """
        return try await Program.run(executable: "/bin/sh", ["-c", attempt], in: "/tmp").status == 0
    }

    private static func psql(_ address: String, _ statement: String) async throws -> String {
        let outcome = try await Program.run(
            executable: "/usr/bin/env", ["psql", address, "-AtXqc", statement], in: "/tmp")
        guard outcome.status == 0 else { throw Failure(outcome.errors) }
        return outcome.output
    }

    /// A transaction for each.
    private static func tick(_ database: String, _ ids: ClosedRange<Int>) async throws {
        let cluster = try await ThrowawayCluster.shared.value
        _ = try await psql(
            cluster.conninfo(database: database),
            "do $$ begin for i in \(ids.lowerBound)..\(ids.upperBound) loop insert into public.ticks values (i); commit; end loop; end $$"
        )
    }

    private static func health(_ node: ServerProcess) async throws -> Health {
        let answer = try await Curl.get("\(node.url)/health/feed")
        return try JSONDecoder().decode(Health.self, from: Data(answer.body.utf8))
    }

    private static func reader(of nodes: [ServerProcess]) async throws -> Int {
        var reader: Int?
        _ = try await eventually {
            for (index, node) in nodes.enumerated() where try await health(node).reader == true {
                reader = index
            }
            return reader != nil
        }
        return try #require(reader)
    }

    private static func transactions(_ node: ServerProcess) async throws -> Int {
        try await metric("apus_feed_transactions_total", node)
    }

    private static func metric(_ name: String, _ node: ServerProcess) async throws -> Int {
        let text = try await Curl.get("\(node.url)/metrics").body
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }.map { Int($0) } ?? -1
    }
}
