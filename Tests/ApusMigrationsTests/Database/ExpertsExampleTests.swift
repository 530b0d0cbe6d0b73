import ApusPostgres
import ApusSQL
import ApusTestSupport
import Foundation
import Testing

@testable import ApusMigrations

/// Needs pgvector; a PostgreSQL without it (Debian 12's own 15) skips this suite.
@Suite("The experts example", .enabled("pgvector is not installed") { try await hasVector() })
struct ExpertsExampleTests {
    private static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("examples/experts").path

    @Test("It migrates, seeds the same rows every time, and its policies hold")
    func all() async throws {
        var digests: [String?] = []
        for name in ["experts_a", "experts_b"] {
            digests.append(
                try await withEmptyDatabase(name) { database in
                    try await SystemMigrator(
                        database: database, steps: SystemStep.all(catalogEventTrigger: nil)
                    )
                    .run()
                    let migrations = MigrationDirectory(path: Self.directory + "/migrations")
                    try await MigrationRunner(database: database, directory: migrations).up()
                    try await SeedRunner(database: database, path: Self.directory + "/seed").run()
                    try await checkPolicies(database)
                    return try await digest(of: database)
                })
        }
        #expect(digests[0] != nil && digests[0] == digests[1])
    }

    /// The scenario fails at the first expectation that does not hold.
    private func checkPolicies(_ database: Database) async throws {
        let path = Self.directory + "/tests/policies.sql"
        let script = try String(contentsOfFile: path, encoding: .utf8)
        try await database.withSession { session in
            for statement in ScriptStatement.statements(of: script) {
                do throws(PostgresFault) {
                    try await session.simpleQuery(statement.text)
                } catch {
                    Issue.record("policies.sql:\(statement.start): \(error.message)")
                    return
                }
            }
        }
    }

    /// Of all rows that do not carry the time at which they were made.
    private func digest(of database: Database) async throws -> String? {
        try await database.value(
            """
            select md5(concat(
                (select string_agg(md5(profiles::text), '' order by id) from profiles),
                (select string_agg(concat(profile_id, headline, embedding, rating), '' order by profile_id) from experts),
                (select string_agg(md5(questions::text), '' order by id) from questions),
                (select string_agg(md5(matches::text), '' order by id) from matches),
                (select string_agg(md5(conversations::text), '' order by id) from conversations),
                (select string_agg(md5(availability::text), '' order by expert_id) from availability),
                (select string_agg(md5(messages::text), '' order by id) from messages),
                (select concat(count(*), ' ', (select count(*) from questions), ' ', (select count(*) from messages))
                    from experts)))
            where (select count(*) from experts) = 2000 and (select count(*) from questions) = 10000
                and (select count(*) from messages) = 50000
            """)
    }
}

private func hasVector() async throws -> Bool {
    let cluster = try await ThrowawayCluster.shared.value
    return try await withDatabase(at: cluster.conninfo()) { database in
        try await database.value("select count(*) from pg_available_extensions where name = 'vector'") == "1"
    }
}
