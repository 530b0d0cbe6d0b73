import ApusPostgres
import ApusTestSupport
import Testing

@testable import ApusRealtime

/// What a clock promises of statements that begin now.
@Suite struct RelationClockTests {
    /// PostgreSQL tells the feed of a commit before others see it; and long before, where the commit waits for a standby.
    @Test func aClockThatBeginsPromisesNothingThatOthersDoNotSeeYet() async throws {
        let cluster = try await ThrowawayCluster.start(settings: ["synchronous_commit": "on"])
        try await FeedDatabase.with(on: cluster) { database in
            let node = FeedNode(database.settings())
            await node.running()
            try await Self.wait(for: "nobody", database)
            let writer = Task { try? await database.run("insert into items (id) values (1)") }
            let outcome = await Self.whatAClockPromises(node, database)
            // Whatever it is, nobody may be left waiting.
            try await Self.wait(for: "", database)
            await writer.value
            let (clock, isRight) = try outcome.get()
            #expect(isRight)
            #expect(
                try await eventually { clock.reading()?.position ?? .zero >= node.lastChange })
            #expect(try await database.value("select count(*) from items") == "1")
            clock.stop()
            await node.stop()
        }
    }

    /// Begins a clock while a commit was heard of that nobody sees.
    private static func whatAClockPromises(
        _ node: FeedNode, _ database: FeedDatabase
    ) async -> Result<(RelationClock, Bool), any Error> {
        let clock = RelationClock(feed: node.feed, database: database.owner)
        do {
            guard try await eventually({ node.lastChange > .zero }) else {
                return .success((clock, false))
            }
            let commit = node.lastChange
            let isHidden = try await database.value("select count(*) from items") == "0"
            clock.start(listener: { _ in }, onBreak: {})
            let isTaken = try await eventually { clock.hasProcessed(commit) }
            // As often as it may have looked for it meanwhile.
            for _ in 0..<20 { _ = try await database.value("select pg_current_snapshot()::text") }
            let promised = clock.reading()?.position ?? .zero
            return .success((clock, isHidden && isTaken && promised < commit))
        } catch {
            return .failure(error)
        }
    }

    private static func wait(for standby: String, _ database: FeedDatabase) async throws {
        try await database.run("alter system set synchronous_standby_names = '\(standby)'")
        _ = try await database.value("select pg_reload_conf()::text")
        _ = try await eventually {
            try await database.value("select current_setting('synchronous_standby_names')") == standby
        }
    }
}

extension FeedNode {
    /// Where the last transaction with changes ends that the feed has heard of.
    fileprivate var lastChange: LSN {
        guard let start = feed.log.start, let known = feed.log.replay(after: start) else { return .zero }
        return known.transactions.last { !$0.changes.isEmpty }?.endLSN ?? .zero
    }
}
