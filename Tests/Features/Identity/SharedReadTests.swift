import ApusPostgres
import ApusTestSupport
import Testing

/// Reads of one caller share transactions where nothing in the database changes settings. Whatever fails or changes
/// hands in between, everybody sees their own rows and nobody else's.
@Suite struct SharedReadTests {
    private static let server = Task {
        try await TestServer.start(
            ["db-pool": "2"],
            prepare: FeatureDatabase.withoutSettings)
    }

    @Test func callersThatAlternateSeeTheirOwn() async throws {
        let server = try await Self.server.value
        let callers: [(token: String?, loans: [Int])] = [
            (Token.ada, [1, 2]), (Token.ben, [3]), (Token.service, [1, 2, 3]),
        ]
        for (token, _) in callers { _ = await server.get("loans?select=id&order=id", as: token) }
        for round in 0..<12 {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<250 {
                    let (token, loans) = callers[round.isMultiple(of: 2) ? number % 3 : number / 25 % 3]
                    group.addTask {
                        if number % 11 == 0 {
                            // Fails in the database, in the middle of others' transaction.
                            let reply = await server.get("loans?select=id&id=eq.none", as: token)
                            #expect(reply.code == "22P02")
                        } else if number % 13 == 0 {
                            let reply = await server.get("loans?select=id")
                            #expect(reply.status == 401)
                        } else {
                            let reply = await server.get("loans?select=id&order=id", as: token)
                            #expect((try? reply.json.all("id")) == loans.map { .number(Double($0)) })
                        }
                    }
                }
            }
        }
        // While much else runs, statements can take so long that each is given a transaction of its own.
        #expect(
            try await eventually {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<100 {
                        group.addTask { _ = await server.get("loans?select=id&order=id", as: Token.ada) }
                    }
                }
                return server.statistics.shared > 0
            })
    }

    @Test func whereAFunctionChangesSettingsNothingIsShared() async throws {
        let server = try await Servers.reading.value
        for _ in 0..<5 { _ = await server.get("books?select=id") }
        let before = server.statistics.shared
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { _ = await server.get("books?select=id") } }
        }
        #expect(server.statistics.shared == before)
    }
}
