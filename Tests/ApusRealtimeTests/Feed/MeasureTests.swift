import ApusPostgres
import ApusRealtime
import ApusSQL
import ApusTestSupport
import Foundation
import Testing

/// Figures, for whoever asks for them: `APUS_MEASURE=1 swift test --filter MeasureTests`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["APUS_MEASURE"] != nil), .serialized)
struct MeasureTests {
    /// From the moment the commit was answered to the subscriber, in milliseconds; below zero, it was first.
    @Test func `delay at 100 commits a second`() async throws {
        // What is committed asynchronously is told when it is flushed, up to 200 ms later.
        let cluster = try await ThrowawayCluster.start(settings: ["synchronous_commit": "on", "fsync": "on"])
        try await FeedDatabase.with(on: cluster) { database in
            let node = FeedNode(database.settings())
            await node.running()
            let arrivals = Locked<[Int: ContinuousClock.Instant]>([:])
            let subscription = node.feed.subscribe(from: nil) { event in
                guard case .transaction(let transaction) = event else { return }
                let now = ContinuousClock.now
                for change in transaction.changes {
                    if let id = change.new?[0].shown.flatMap({ Int($0) }) {
                        arrivals.withLock { $0[id] = now }
                    }
                }
            }
            var commits: [(sent: ContinuousClock.Instant, answered: ContinuousClock.Instant)] = []
            let begun = ContinuousClock.now
            for id in 0..<1_000 {
                try await Task.sleep(until: begun + .milliseconds(10 * id))
                let sent = ContinuousClock.now
                try await database.owner.query("insert into items (id) values (\(bind: id))")
                commits.append((sent, .now))
            }
            _ = try await eventually { arrivals.withLock { $0.count } == 1_000 }
            let seen = arrivals.withLock { $0 }
            func report(_ what: String, _ delays: [Double]) {
                let sorted = delays.sorted()
                print(
                    "\(what): p50 \(sorted[500]) ms, p99 \(sorted[990]) ms, longest \(sorted[999]) ms")
            }
            let pairs = commits.enumerated().map { ($0.element, seen[$0.offset] ?? .now) }
            report("answered to subscriber", pairs.map { ($1 - $0.answered) / .milliseconds(1) })
            report("sent to subscriber", pairs.map { ($1 - $0.sent) / .milliseconds(1) })
            #expect(seen.count == 1_000)
            withExtendedLifetime(subscription) {}
            await node.stop()
        }
    }

    @Test func `throughput of small transactions`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            let count = 20_000
            let begun = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        try await database.owner.query(
                            SQL(
                                trusted: """
                                    do $$ begin for i in \(writer * count / 4)..\((writer + 1) * count / 4 - 1) loop
                                    insert into public.items (id, name) values (i, 'name'); commit; end loop; end $$
                                    """))
                    }
                }
                try await group.waitForAll()
            }
            let written = ContinuousClock.now - begun
            _ = try await eventually(within: .seconds(120)) { node.feed.statistics.transactions >= count }
            let read = ContinuousClock.now - begun
            print("\(count) commits written in \(written), heard after \(read)")
            #expect(node.feed.statistics.transactions == count)
            await node.stop()
        }
    }

    @Test func `throughput of a large transaction`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            let begun = ContinuousClock.now
            try await database.run(
                "insert into items select i, 'name ' || i from generate_series(1, 1000000) i")
            let written = ContinuousClock.now - begun
            _ = try await eventually(within: .seconds(120)) { node.feed.statistics.changes >= 1_000_000 }
            let read = ContinuousClock.now - begun
            print("1000000 rows written in \(written), heard after \(read)")
            await node.stop()
        }
    }
}
