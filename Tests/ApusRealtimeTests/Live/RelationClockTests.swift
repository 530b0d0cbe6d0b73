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
            let (writer, written) = try await Self.commitThatWaits(database)
            let outcome = await Self.whatAClockPromises(node, database, written)
            // Whatever it is, nobody may be left waiting.
            try await Self.wait(for: "", database)
            await writer.value
            let (clock, failure) = try outcome.get()
            #expect(failure == nil)
            #expect(
                try await eventually { clock.reading()?.position ?? .zero >= node.changes.last ?? .zero })
            #expect(try await database.value("select count(*) from items") == "\(written)")
            clock.stop()
            await node.stop()
        }
    }

    /// Writes until a commit waits for the standby: the server's processes hear of a setting one after the other.
    ///
    /// - Returns: who waits, and how many rows were written with that one.
    private static func commitThatWaits(
        _ database: FeedDatabase
    ) async throws -> (writer: Task<Void, Never>, written: Int) {
        let isFinished = Locked(true)
        var (writer, written) = (Task {}, 0)
        _ = try await eventually {
            if isFinished.withLock({ $0 }) {
                written += 1
                isFinished.withLock { $0 = false }
                writer = Task { [written] in
                    try? await database.run("insert into items (id) values (\(written))")
                    isFinished.withLock { $0 = true }
                }
            }
            return try await database.value(
                "select count(*) from pg_stat_activity where wait_event = 'SyncRep'") == "1"
        }
        return (writer, written)
    }

    /// Begins a clock while a commit was heard of that nobody sees.
    ///
    /// - Returns: the clock, and what is wrong.
    private static func whatAClockPromises(
        _ node: FeedNode, _ database: FeedDatabase, _ written: Int
    ) async -> Result<(RelationClock, String?), any Error> {
        let clock = RelationClock(feed: node.feed, database: database.owner)
        do {
            guard try await eventually({ node.changes.count == written }), let commit = node.changes.last
            else { return .success((clock, "The feed has not heard of the commit.")) }
            guard try await database.value("select count(*) from items") == "\(written - 1)" else {
                return .success((clock, "Others see the commit."))
            }
            clock.start(listener: { _ in }, onBreak: {})
            guard try await eventually({ clock.hasProcessed(commit) }) else {
                return .success((clock, "The clock has not heard of the commit."))
            }
            // As often as it may have looked for it meanwhile.
            for _ in 0..<20 { _ = try await database.value("select pg_current_snapshot()::text") }
            let promised = clock.reading()?.position ?? .zero
            return .success((clock, promised < commit ? nil : "\(promised) is promised, \(commit) not seen"))
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
    /// Where those transactions end that have changes and that the feed has heard of.
    fileprivate var changes: [LSN] {
        guard let start = feed.log.start, let known = feed.log.replay(after: start) else { return [] }
        return known.transactions.filter { !$0.changes.isEmpty }.map(\.endLSN)
    }
}
