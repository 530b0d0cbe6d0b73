import ApusPostgres
import ApusRealtime
import ApusSQL
import ApusTestSupport
import Testing

/// What a subscriber hears of what a database commits.
@Suite struct ChangesTests {
    @Test func `inserts, updates and deletes come with their values, in one transaction`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            try await database.run(
                """
                begin;
                insert into items values (1, 'Ä "quoted"', 1.50, pg_current_xact_id());
                update items set price = 2 where id = 1;
                update items set id = 7 where id = 1;
                delete from items where id = 7;
                commit;
                """)
            await node.heard.until { $0.transactions.count == 1 }
            let transaction = try #require(node.heard.transactions.first)
            #expect(transaction.changes.map(\.kind) == [.insert, .update, .update, .delete])
            #expect(transaction.changes[0].new?.map(\.shown).prefix(3) == ["1", "Ä \"quoted\"", "1.50"])
            #expect(transaction.changes[1].old == nil)
            #expect(transaction.changes[2].old?.map(\.shown) == ["1", nil, nil, nil])
            #expect(transaction.changes[3].old?.map(\.shown) == ["7", nil, nil, nil])
            let relation = transaction.changes[0].relation
            #expect(relation.schema == "public" && relation.name == "items")
            #expect(relation.columns.map(\.typeName) == ["int4", "text", "numeric", "text"])
            #expect(relation.columns.map(\.isKey) == [true, false, false, false])
            #expect(transaction.changes.allSatisfy { $0.relation === relation })
            #expect(transaction.changes[0].new?[3].shown == String(transaction.fullXID))
            let now = try await database.value("select (extract(epoch from now()) * 1000000)::bigint")
            #expect(abs(Int(transaction.commitTime) - (now.flatMap { Int($0) } ?? 0)) < 30_000_000)
            await node.stop()
        }
    }

    @Test func `transactions come in the order of commits, each once`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for turn in 0..<100 {
                            try await database.owner.query(
                                "insert into items (id) values (\(bind: writer * 1_000 + turn))")
                        }
                    }
                }
                try await group.waitForAll()
            }
            await node.heard.until { $0.transactions.count >= 400 }
            #expect(node.heard.transactions.count == 400)
            #expect(node.heard.lsns == node.heard.lsns.sorted())
            #expect(Set(node.heard.changes.compactMap { $0.new?[0].shown }).count == 400)
            await node.stop()
        }
    }

    @Test func `large values that were not touched are left out, or taken from the whole old row`()
        async throws
    {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            let large = "(select string_agg(md5(i::text), '') from generate_series(1, 500) i)"
            try await database.run("insert into items values (1, 'a', 1, \(large))")
            try await database.run("update items set name = 'b'")
            try await database.run("alter table items replica identity full")
            try await database.run("update items set name = 'c'")
            await node.heard.until { $0.changes.count == 3 }
            let changes = node.heard.changes
            #expect(changes[0].new?[3].shown?.count == 16_000)
            #expect(changes[1].new?[3] == .unchangedToast)
            #expect(changes[2].new?[3] == changes[0].new?[3])
            #expect(changes[2].oldIsWhole && changes[2].old?[1].shown == "b")
            // The replica identity is part of the shape.
            #expect(changes[1].relation !== changes[2].relation)
            #expect(changes[2].relation.replicaIdentity == .full)
            await node.stop()
        }
    }

    @Test func `truncates, messages, new columns and new tables come`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            try await database.run("insert into items (id) values (1)")
            try await database.run("alter table items add column colour text default 'red'")
            try await database.run("insert into items (id) values (2)")
            // Without a key it cannot be published, or it could not be updated any more.
            try await database.run("create table keyless (id int); insert into keyless values (1)")
            // Nor could this, which earlier versions do not know.
            let hasVirtualColumns =
                try await database.value("select current_setting('server_version_num')::int >= 180000") == "t"
            if hasVirtualColumns {
                try await database.run(
                    """
                    create table doubled (id int primary key, twice int generated always as (id * 2) virtual);
                    alter table doubled replica identity full; insert into doubled values (1)
                    """)
            }
            try await database.run("create type mood as enum ('sad', 'glad')")
            try await database.run("create table later (id int primary key, mood mood)")
            node.feed.catalogChanged()
            let oid = UInt32(try await database.value("select 'later'::regclass::oid") ?? "") ?? 0
            _ = try await eventually { node.feed.coverage.covers(oid) }
            try await database.run("insert into later values (5, 'glad'); update keyless set id = 2")
            if hasVirtualColumns { try await database.run("update doubled set id = 2") }
            try await database.run("truncate items, later")
            try await database.run("select pg_logical_emit_message(true, 'greeting', 'inside')")
            try await database.run(
                "begin; select pg_logical_emit_message(false, 'greeting', 'outside'); rollback")
            await node.heard.until { $0.messages.count == 2 }
            let changes = node.heard.changes
            #expect(changes.map(\.kind) == [.insert, .insert, .insert, .truncate, .truncate])
            #expect(changes[0].new?.count == 4 && changes[1].new?.count == 5)
            #expect(changes[1].new?[4].shown == "red")
            #expect(changes[2].relation.name == "later" && changes[2].relation.columns[1].typeName == "mood")
            #expect(Set(changes[3...].map(\.relation.name)) == ["items", "later"])
            #expect(
                node.heard.messages == [
                    LogicalMessage(prefix: "greeting", content: Array("inside".utf8), isTransactional: true),
                    LogicalMessage(
                        prefix: "greeting", content: Array("outside".utf8), isTransactional: false),
                ])
            await node.stop()
        }
    }

    @Test func `changes of partitions come as the partitioned table's`() async throws {
        try await FeedDatabase.with { database in
            try await database.run(
                """
                create table days (day int primary key, what text) partition by range (day);
                create table days_1 partition of days for values from (0) to (10);
                create table days_2 partition of days for values from (10) to (20);
                """)
            let node = FeedNode(database.settings())
            await node.running()
            try await database.run("insert into days values (3, 'a'), (13, 'b')")
            await node.heard.until { $0.changes.count == 2 }
            #expect(node.heard.changes.map(\.relation.name) == ["days", "days"])
            await node.stop()
        }
    }

    @Test func `the feed says how far it has come although nothing of it is written`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(database.settings())
            await node.running()
            try await database.run("create table apus.elsewhere (id int)")
            let lsn = try #require(
                try await database.value("select pg_current_wal_insert_lsn()").flatMap { LSN($0) })
            node.feed.requestProgress()
            await node.heard.until { $0.caughtUp ?? .zero >= lsn }
            #expect(node.heard.caughtUp ?? .zero >= lsn)
            await node.stop()
        }
    }
}

extension FeedValue {
    /// The text, or nil.
    var shown: String? {
        if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}
