import ApusPostgres
import ApusRealtime
import ApusSQL
import ApusTestSupport
import Testing

/// Who reads the slot, and what happens when that ends.
@Suite struct ReadingTests {
    @Test func `a node stands by and takes over, without gap or repetition`() async throws {
        try await FeedDatabase.with { database in
            let first = FeedNode(database.settings())
            await first.running()
            let second = FeedNode(database.settings())
            _ = try await eventually { if case .standby = second.feed.state { true } else { false } }
            try await database.insert(1...3)
            await first.heard.until { $0.ids.count == 3 }
            await first.stop()
            await second.running()
            #expect(second.feed.state.isRunning)
            try await database.insert(4...6)
            await second.heard.until { $0.ids.last == 6 }
            // What the first had read and not confirmed comes again from the slot.
            #expect(second.heard.ids == Array(1...6))
            #expect(second.heard.epochs == first.heard.epochs)
            await second.stop()
        }
    }

    @Test func `a lost connection is made again, and nothing is missed or repeated`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            for turn in 0..<5 {
                try await database.insert(turn * 10 + 1...turn * 10 + 5)
                try await database.run(
                    "select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database()"
                )
                try await database.insert(turn * 10 + 6...turn * 10 + 10)
            }
            await node.heard.until { $0.ids.count >= 50 }
            #expect(node.heard.ids == Array(1...50))
            #expect(node.heard.epochs.count == 1)
            await node.stop()
        }
    }

    @Test func `clients resume over a restart, in the same epoch`() async throws {
        try await FeedDatabase.with { database in
            let first = FeedNode(database.settings())
            await first.running()
            try await database.insert(1...3)
            await first.heard.until { $0.ids.count == 3 }
            let seen = try #require(first.heard.transactions.first).lastPosition
            await first.stop()
            try await database.insert(4...4)
            let second = FeedNode(database.settings())
            await second.heard.until { $0.ids.last == 4 }
            let resumed = Heard()
            let subscription = second.feed.subscribe(from: seen) { resumed.add($0) }
            #expect(subscription != nil)
            await resumed.until { $0.ids.last == 4 }
            #expect(resumed.ids == [2, 3, 4])
            await second.stop()
        }
    }

    @Test func `a slot that was removed is a new epoch, and subscribers are told`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            try await database.insert(1...1)
            await node.heard.until { $0.ids == [1] }
            try await database.run(
                """
                do $$ begin
                    for turn in 1..100 loop
                        begin
                            perform pg_terminate_backend(active_pid), pg_drop_replication_slot(slot_name)
                            from pg_replication_slots where database = current_database();
                            exit;
                        exception when object_in_use then perform pg_sleep(0.01);
                        end;
                    end loop;
                end $$
                """)
            await node.heard.until { $0.epochs.count == 2 }
            await node.running()
            try await database.insert(2...2)
            await node.heard.until { $0.ids.last == 2 }
            #expect(node.heard.epochs.count == 2)
            #expect(node.heard.epochs[0] < node.heard.epochs[1])
            #expect(node.feed.subscribe(from: node.heard.transactions[0].lastPosition) { _ in } == nil)
            await node.stop()
        }
    }

    @Test func `a slot that the server gave up is a new epoch`() async throws {
        let cluster = try await ThrowawayCluster.start(settings: [
            "max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB",
        ])
        try await FeedDatabase.with(on: cluster) { database in
            let first = FeedNode(database.settings())
            await first.running()
            try await database.insert(1...1)
            await first.heard.until { $0.ids == [1] }
            await first.stop()
            try await database.run("create table apus.bulk (t text)")
            for _ in 0..<4 {
                try await database.run(
                    """
                    insert into apus.bulk select repeat(md5(i::text), 30) from generate_series(1, 20000) i;
                    select pg_switch_wal()
                    """)
                try await database.run("checkpoint")
            }
            #expect(try await database.value("select wal_status from pg_replication_slots") == "lost")
            let second = FeedNode(database.settings())
            await second.running()
            try await database.insert(2...2)
            await second.heard.until { $0.ids.last == 2 }
            #expect(second.heard.ids == [2])
            #expect(try #require(second.heard.epochs.last) > (try #require(first.heard.epochs.last)))
            await second.stop()
        }
        try await cluster.stop(.immediate)
    }

    @Test func `an idle feed holds back no log`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings { $0.resumeWindow = .zero })
            await node.running()
            try await database.run(
                """
                create table apus.bulk (t text);
                insert into apus.bulk select repeat(md5(i::text), 30) from generate_series(1, 20000) i
                """)
            let written = try #require(
                try await database.value("select pg_current_wal_lsn()").flatMap { LSN($0) })
            let isConfirmed = try await eventually {
                let confirmed = try await database.value(
                    "select confirmed_flush_lsn from pg_replication_slots where database = current_database()"
                )
                return confirmed.flatMap { LSN($0) }.map { $0 >= written } ?? false
            }
            #expect(isConfirmed)
            #expect(node.heard.transactions.isEmpty)
            await node.stop()
        }
    }

    /// A server whose client speaks up says nothing by itself; that is no lost connection.
    @Test func `a feed of a database where nothing happens stays connected`() async throws {
        let cluster = try await ThrowawayCluster.start(settings: [
            "autovacuum": "off", "checkpoint_timeout": "1d",
        ])
        try await FeedDatabase.with(on: cluster) { database in
            let node = FeedNode(database.settings { $0.healthInterval = .seconds(60) })
            await node.running()
            let reading = "select active_pid from pg_replication_slots"
            let before = try await database.value(reading)
            try await Task.sleep(for: .seconds(7))
            #expect(try await database.value(reading) == before)
            #expect(before != nil && node.feed.state.isRunning)
            await node.stop()
        }
        try await cluster.stop(.immediate)
    }

    @Test func `with a window, at the most so much log is held back`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings { $0.logBytes = 1 << 20 })
            await node.running()
            try await database.run("create table apus.bulk (t text)")
            for _ in 0..<4 {
                try await database.run(
                    "insert into apus.bulk select repeat(md5(i::text), 30) from generate_series(1, 5000) i")
            }
            let isBounded = try await eventually {
                let lag = try await database.value(
                    """
                    select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint
                    from pg_replication_slots where database = current_database()
                    """)
                return (lag.flatMap { Int($0) } ?? .max) < 3 << 20
            }
            #expect(isBounded)
            await node.stop()
        }
    }
}

extension FeedDatabase {
    /// A transaction for each.
    func insert(_ ids: ClosedRange<Int>) async throws {
        for id in ids { try await owner.query("insert into items (id) values (\(bind: id))") }
    }
}

extension Heard {
    /// Of the rows that were inserted.
    var ids: [Int] {
        changes.filter { $0.kind == .insert }.compactMap { $0.new?[0].shown.flatMap { Int($0) } }
    }
}
