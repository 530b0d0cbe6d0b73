import ApusPostgres
import ApusRealtime
import ApusTestSupport
import Testing

/// Transactions that are larger than what is held in memory.
@Suite struct LargeTransactionTests {
    @Test(arguments: [true, false])
    func `a large transaction comes in parts, whole and in order`(isStreamed: Bool) async throws {
        try await FeedDatabase.with { database in
            if isStreamed {
                // From there on the server sends pieces of a transaction that is still in progress.
                try await database.run(
                    "alter database \(database.name) set logical_decoding_work_mem = '64kB'")
            }
            let node = FeedNode(database.settings { $0.partBytes = 64 << 10 })
            await node.running()
            try await database.owner.withSession { session in
                try await session.simpleQuery(
                    """
                    begin;
                    insert into items select i, repeat('x', 100) from generate_series(1, 20000) i;
                    savepoint a;
                    insert into items select i, 'undone' from generate_series(90001, 95000) i;
                    rollback to a;
                    savepoint b;
                    insert into items select i, repeat('y', 100) from generate_series(20001, 30000) i;
                    release b;
                    """)
                // A small one overtakes it.
                try await database.insert(99_999...99_999)
                await node.heard.until { $0.ids == [99_999] }
                try await session.simpleQuery("commit")
            }
            try await database.insert(100_000...100_000)
            await node.heard.until { $0.ids.last == 100_000 }
            #expect(node.heard.ids == [99_999] + Array(1...30_000) + [100_000])
            let parts = node.heard.transactions.dropFirst().dropLast()
            #expect(parts.count > 10)
            #expect(parts.allSatisfy { $0.byteCount < 512 << 10 })
            #expect(parts.map(\.isLastPart) == Array(repeating: false, count: parts.count - 1) + [true])
            var next = 0
            for part in parts {
                #expect(part.position.index == next)
                next += part.changes.count
            }
            #expect(Set(parts.map(\.position.lsn)).count == 1)
            // A subscriber can resume within it.
            let middle = try #require(parts.dropFirst(3).first)
            let resumed = Heard()
            let subscription = node.feed.subscribe(from: middle.lastPosition) { resumed.add($0) }
            await resumed.until { $0.ids.last == 100_000 }
            #expect(resumed.ids.first == middle.position.index + middle.changes.count + 1)
            #expect(subscription != nil)
            await node.stop()
        }
    }

    @Test func `a large transaction that is undone leaves nothing`() async throws {
        try await FeedDatabase.with { database in
            try await database.run("alter database \(database.name) set logical_decoding_work_mem = '64kB'")
            let node = FeedNode(database.settings())
            await node.running()
            try await database.run(
                "begin; insert into items select i, repeat('x', 100) from generate_series(1, 20000) i; rollback"
            )
            try await database.insert(1...1)
            await node.heard.until { $0.ids.last == 1 }
            #expect(node.heard.ids == [1])
            await node.stop()
        }
    }

    @Test func `the log stays within its bound`() async throws {
        try await FeedDatabase.with { database in
            let node = FeedNode(
                database.settings {
                    $0.logBytes = 1 << 20
                    $0.partBytes = 64 << 10
                })
            await node.running()
            try await database.run(
                "insert into items select i, repeat('x', 100) from generate_series(1, 50000) i")
            try await database.insert(100_000...100_000)
            _ = try await eventually { node.feed.statistics.transactions == 2 }
            #expect(node.feed.statistics.logBytes <= 1 << 20)
            #expect(node.feed.statistics.changes == 50_001)
            await node.stop()
        }
    }
}
