import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

/// A pool whose connections are shared out among several reactors.
@Suite struct ReactorsTests {
    @Test func connectionsAndPlacesInTheQueueAreSharedOut() {
        var configuration = DatabaseConfiguration(connectionString: "")
        func shares(_ connections: Int, _ reactors: Int) -> [Int] {
            configuration.connections = connections
            configuration.reactors = reactors
            return configuration.shares.map(\.connections)
        }
        #expect(shares(17, 2) == [9, 8])
        #expect(shares(64, 3) == [22, 21, 21])
        // None has fewer than eight, unless it is the only one.
        #expect(shares(16, 8) == [8, 8])
        #expect(shares(15, 2) == [15])
        #expect(shares(1, 4) == [1])
        #expect(shares(20, 0) == [20])
        configuration.connections = 32
        configuration.reactors = 3
        configuration.queueLimit = 10
        #expect(configuration.shares.map(\.queueLimit) == [3, 3, 3])
    }

    @Test func anEventLoopKeepsItsReactorAndAnotherHasAnother() async throws {
        try await withDriver({ ($0.connections, $0.reactors) = (16, 2) }) { database in
            let loops = (0..<4).map { _ in Loop() }
            var backends: [Int?] = []
            for loop in loops + loops { backends.append(try await loop.backend(of: database)) }
            #expect(backends[..<4] == backends[4...])
            #expect(Set(backends.compactMap { $0 }).count == 2)
            #expect(backends[0] == backends[2] && backends[1] == backends[3])
        }
    }

    @Test func sessionsFindAllConnections() async throws {
        try await withDriver({ ($0.connections, $0.reactors) = (16, 2) }) { database in
            let gate = AsyncStream.makeStream(of: Void.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                // All but one of each reactor.
                for _ in 0..<14 {
                    group.addTask {
                        try await database.withSession { session in
                            try await session.query("select 1")
                            for await _ in gate.stream {}
                        }
                    }
                }
                #expect(try await eventually { database.statistics.exclusive == 14 })
                // Quick trips have a connection of either.
                for _ in 0..<20 { #expect(try await database.query("select 7").int(0, 0) == 7) }
                gate.continuation.finish()
                try await group.waitForAll()
            }
            #expect(try await eventually { database.statistics.exclusive == 0 })
            #expect(database.statistics.completed >= 34)
        }
    }

    @Test func stoppingStopsAll() async throws {
        try await withDriver { observer async throws in
            try await withDriver({ ($0.connections, $0.reactors) = (16, 2) }) { database in
                let marked = StatementText("select 'reactors-mark'")
                for _ in 0..<4 { _ = try await database.execute(.one(marked)) }
                #expect(try await observer.backends("idle", marked: "reactors-mark") == 2)
                await database.shutdown()
                for _ in 0..<4 { #expect(await database.faultOf("select 1")?.kind == .shutdown) }
                #expect(
                    try await eventually { try await observer.backends("idle", marked: "reactors-mark") == 0 }
                )
            }
        }
    }

    // MARK: - Non public

    /// Stands for an event loop: has an identity, and runs at once what it is given.
    private final class Loop: Sendable {
        /// The backend on which a statement of it runs.
        func backend(of database: Database) async throws -> Int? {
            let lane = database.lane(of: ObjectIdentifier(self)) { $0() }
            return try await withCheckedThrowingContinuation { continuation in
                lane.submit(.one(StatementText("select pg_backend_pid()"))) { result in
                    continuation.resume(with: result.map { $0.first?.int(0, 0) })
                }
                lane.flush()
            }
        }
    }
}
