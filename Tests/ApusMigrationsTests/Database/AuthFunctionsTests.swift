import ApusPostgres
import ApusSQL
import Testing

@testable import ApusMigrations

@Suite("The functions of policies")
struct AuthFunctionsTests {
    private static let id = "5f0cd6d1-5a4d-4f0e-9d5e-0a4a3b6a1c11"
    private static let call = SQL(
        trusted: "select concat_ws('|', coalesce(auth.uid()::text, '-'), coalesce(auth.role(), '-'), "
            + "coalesce(auth.email(), '-'), coalesce(auth.jwt() ->> 'x', '-'))")

    /// What the four functions say to anon after `settings` were set for the transaction.
    private func answer(_ database: Database, _ settings: [(String, String)]) async throws -> String? {
        try await database.withTransaction { session in
            try await session.query("set local role anon")
            for (name, value) in settings {
                try await session.query("select set_config(\(bind: name), \(bind: value), true)")
            }
            return try await session.query(Self.call).string(0, 0)
        }
    }

    @Test("They read the claims, and are null for what is missing or empty")
    func claims() async throws {
        try await withEmptyDatabase("auth_functions") { database in
            try await SystemMigrator(database: database, steps: SystemStep.all(catalogEventTrigger: nil))
                .run()
            let id = Self.id
            let claims = "request.jwt.claims"
            let full = #"{"sub":"\#(id)","role":"anon","email":"a@b.c","x":"y"}"#
            #expect(try await answer(database, []) == "-|-|-|-")
            #expect(try await answer(database, [(claims, full)]) == "\(id)|anon|a@b.c|y")
            // After a transaction that had them, settings read as empty strings.
            #expect(try await answer(database, [(claims, "")]) == "-|-|-|-")
            #expect(try await answer(database, [(claims, "{}")]) == "-|-|-|-")
            #expect(
                try await answer(database, [(claims, #"{"sub":null,"role":"","email":""}"#)]) == "-|-|-|-")
            #expect(try await answer(database, [(claims, #"{"sub":""}"#)]) == "-|-|-|-")
            let legacy = ["sub": id, "role": "r", "email": "e"].map { ("request.jwt.claim.\($0)", $1) }
            #expect(try await answer(database, legacy) == "\(id)|r|e|-")
            #expect(try await answer(database, legacy + [(claims, full)]) == "\(id)|anon|a@b.c|y")
            #expect(try await answer(database, [("request.jwt.claim", full)]) == "-|-|-|y")
        }
    }

    @Test("They are inlined into what calls them, so that an index can be used")
    func inlined() async throws {
        try await withEmptyDatabase("auth_inlined") { database in
            try await SystemMigrator(database: database, steps: SystemStep.all(catalogEventTrigger: nil))
                .run()
            let plan = try await database.query("explain (verbose) select auth.uid()")
            let text = (0..<plan.count).compactMap { plan.string($0, 0) }.joined()
            #expect(text.contains("current_setting") && !text.contains("auth.uid()"), "\(text)")
        }
    }
}
