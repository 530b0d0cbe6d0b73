import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

@Suite struct ListenTests {
    @Test func messagesOfTheChannelsArrive() async throws {
        try await withDriver { database in
            var heard = database.listen(["news", "Odd \"name\""]).makeAsyncIterator()
            #expect(await heard.next() == .reconnected)
            try await database.query("select pg_notify('news', 'one')")
            try await database.query("select pg_notify('other', 'not for us')")
            try await database.query("select pg_notify('Odd \"name\"', '')")
            guard case .message("news", "one", let pid) = await heard.next() else {
                Issue.record("the first message is missing")
                return
            }
            #expect(pid > 0)
            guard case .message("Odd \"name\"", "", _) = await heard.next() else {
                Issue.record("the second message is missing")
                return
            }
        }
    }

    @Test func listeningOutlivesARestart() async throws {
        let cluster = try await ThrowawayCluster.start()
        try await withDriver(on: cluster.conninfo(), { $0.acquisitionTimeout = .seconds(30) }) { database in
            var heard = database.listen(["news"]).makeAsyncIterator()
            #expect(await heard.next() == .reconnected)
            try await cluster.restart()
            #expect(await heard.next() == .reconnected)
            try await database.query("select pg_notify('news', 'after')")
            guard case .message("news", "after", _) = await heard.next() else {
                Issue.record("the message after the restart is missing")
                return
            }
        }
        try await cluster.stop()
    }

    @Test func aReaderThatEndsTakesItsConnectionWithIt() async throws {
        try await withDriver { database async throws in
            let reader = Task {
                for await notification in database.listen(["ending"]) where notification == .reconnected {
                    return
                }
            }
            await reader.value
            let sql: SQL = "select count(*) from pg_stat_activity where query = 'listen \"ending\"'"
            #expect(try await eventually { try await database.query(sql).int(0, 0) == 0 })
        }
    }

    @Test func theStreamEndsWithTheDriver() async throws {
        let conninfo = try await DriverDatabase.shared.value
        let database = Database(DatabaseConfiguration(connectionString: conninfo), logger: quiet)
        var heard = database.listen(["ending"]).makeAsyncIterator()
        #expect(await heard.next() == .reconnected)
        await database.shutdown()
        #expect(await heard.next() == nil)
        var late = database.listen(["ending"]).makeAsyncIterator()
        #expect(await late.next() == nil)
    }
}
