import ApusEdge
import ApusTestSupport
import Synchronization
import Testing

/// Random reads and writes of many clients at once against what must be true of kept answers.
@Suite struct CacheModelTests {
    /// What has been committed: for each row its value, and that of a while ago.
    private final class Model: Sendable {
        private let committed = Mutex<[Int: [(value: Int, at: ContinuousClock.Instant)]]>([:])

        func note(_ row: Int, _ value: Int) {
            committed.withLock { $0[row, default: []].append((value, .now)) }
        }

        /// The newest value that was committed before this moment.
        func value(of row: Int, before moment: ContinuousClock.Instant) -> Int {
            committed.withLock { $0[row]?.last { $0.at < moment }?.value ?? 0 }
        }
    }

    /// Longer than the feed takes on a machine that is busy with other tests.
    private static let longestLag = Duration.seconds(10)

    /// Without and with a limit of what requests may cost, which has writes take another way.
    @Test(arguments: [[:], ["db-max-cost": "1e9"]])
    func noReadIsOlderThanItsReadersWritesOrTheFeedsLag(settings: [String: String]) async throws {
        let server = try await LiveTables.start(
            settings,
            more: """
                create function library.rank_task(task int, "to" int) returns void language sql
                    as 'update library.tasks set rank = $2 where id = $1';
                """)
        try await server.database.run(
            "insert into library.tasks select i, null, 'shared', 0 from generate_series(100, 109) i")
        let model = Model()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<8 {
                group.addTask { try await Self.act(as: client, server, model) }
            }
            var hits = 0
            for try await notModified in group { hits += notModified }
            #expect(hits > 0)
        }
        #expect(server.live.hits > 0)
        #expect(server.live.dropped > 0)
        await server.stop()
    }

    /// The ways of changing a row.
    private enum Way: CaseIterable { case plain, batch, idempotent, function }

    private static func write(
        _ row: Int, _ rank: Int, by way: Way, as token: String, _ server: TestServer
    ) async -> Reply {
        let body = #"{"rank": \#(rank)}"#
        switch way {
        case .plain: return await server.send(.patch, "tasks?id=eq.\(row)", as: token, body: body)
        case .idempotent:
            return await server.send(
                .patch, "tasks?id=eq.\(row)", as: token, ["Idempotency-Key": "\(row)-\(rank)"], body: body)
        case .batch:
            let part = #"{"id": "a", "method": "PATCH", "path": "/tasks?id=eq.\#(row)", "body": \#(body)}"#
            return await server.send(.post, "$batch", as: token, body: #"{"requests": [\#(part)]}"#)
        case .function:
            return await server.send(
                .post, "rpc/rank_task", as: token, body: #"{"task": \#(row), "to": \#(rank)}"#)
        }
    }

    /// One client: two rows that it alone writes, and all rows that it reads.
    ///
    /// - Returns: how often it was told that nothing had changed.
    private static func act(as client: Int, _ server: TestServer, _ model: Model) async throws -> Int {
        var random = SystemRandomNumberGenerator()
        // Every client has a token of its own; some bring their position along, the others rely on the node.
        let token = Token.make(#"{"role":"service_role","client":\#(client)}"#)
        var fields: [String: String] = [:]
        var tags: [String: String] = [:]
        var own = 0
        var notModified = 0
        for round in 1...150 {
            if random.next() % 6 == 0 {
                let write = await Self.write(
                    100 + client, round, by: Way.allCases.randomElement(using: &random) ?? .plain, as: token,
                    server)
                #expect(write.status == 204 || write.status == 200, "\(write.text)")
                own = round
                model.note(100 + client, round)
                if client % 2 == 0 { fields["Apus-Lsn"] = try #require(write.field("Apus-Lsn")) }
            }
            let row = random.next() % 2 == 0 ? 100 + client : 100 + Int(random.next() % 8)
            let target =
                random.next() % 3 == 0 ? "tasks?select=id,rank&id=gte.100&order=id" : "tasks?id=eq.\(row)"
            let least = row == 100 + client ? own : model.value(of: row, before: .now - longestLag)
            var sent = fields
            sent["If-None-Match"] = tags[target]
            let reply = await server.get(target, as: token, sent)
            if reply.status == 304 {
                notModified += 1
                continue
            }
            tags[target] = reply.field("ETag")
            let shown = try reply.json.items.first { $0["id"] == .number(Double(row)) }?["rank"]
            guard case .number(let rank)? = shown else {
                Issue.record("no row \(row) in \(reply.text)")
                continue
            }
            #expect(Int(rank) >= least, "client \(client), row \(row), \(target)")
        }
        // A 304 may not hide the own write either.
        let last = try await server.get("tasks?id=eq.\(100 + client)", as: token, fields).json
        #expect(last[0]?["rank"] == .number(Double(own)))
        return notModified
    }
}
