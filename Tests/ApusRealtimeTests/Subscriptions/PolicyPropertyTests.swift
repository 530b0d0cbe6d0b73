import ApusPostgres
import ApusSQL
import Testing

@testable import ApusRealtime

/// Ten thousand random rows, policies of every form, many claims: what the process decides is what PostgreSQL shows.
@Suite struct PolicyPropertyTests {
    /// Policies that are decided in the process.
    static let compiled = [
        "true", "false", "is_public", "not is_public", "is_public is not true", "is_public is unknown",
        "is_public is false or is_old", "owner_id = auth.uid()", "auth.uid() = owner_id",
        "(select auth.uid()) = owner_id", "owner_id <> auth.uid()", "owner_id > auth.uid()",
        "owner_id is not distinct from auth.uid()", "owner_id is distinct from auth.uid()",
        "owner_id::text = auth.jwt() ->> 'sub'", "team_id = (auth.jwt() ->> 'team')::bigint",
        "team_id = (auth.jwt() ->> 'team')::int", "team_id::text = (select auth.jwt() ->> 'team')",
        "level >= (auth.jwt() ->> 'level')::int", "level < team_id", "\"Order No\" between 7 and 8",
        "\"Order No\" = any (array[7, 9, null])", "\"Order No\" <> all (array[7, 9])", "team_id in (1, 3, 5)",
        "team_id not in (1, 3, 5)", "team_id not in (1, null)", "price = 1.5", "price > 1.49999",
        "price <= (auth.jwt() ->> 'limit')::numeric", "price = 'NaN'", "price >= 100", "\"Order No\" = 8.0",
        "title = 'a'", "title <> 'a'", "title = auth.jwt() ->> 'title'", "title in ('ä', '', 'it''s')",
        #"title = 'x "y" \z'"#, "code = 'a'", "code = title", "code in ('a', 'team')", "kind = 'a'",
        "mood = 'happy'",
        "mood <> 'happy'", "mood::text = auth.jwt() ->> 'mood'", "made > '2000-01-01 00:00:00+00'",
        "made = '2024-02-29 10:00:00.5+00'", "made < 'infinity'", "due > '2024-02-29 12:00:00'",
        "day < '2024-03-01'",
        "day > '0100-01-01 BC'", "auth.uid() = any (readers)", "not (auth.uid() = any (readers))",
        "'a' = any (tags)",
        "2 = any (scores)", "3 <> all (scores)", "owner_id is null", "owner_id is not null and price is null",
        "is_public = true", "is_public or owner_id = auth.uid() and not is_old", "auth.role() = 'reader'",
        "auth.role() = 'reader' and (is_old or level = 1)", "is_public = (auth.jwt() ->> 'flag')::boolean",
        "is_public::text = auth.jwt() ->> 'flag'",
        "coalesce(auth.jwt() ->> 'admin', 'no') = 'yes' or level = 0",
        "team_id in (select team_id from members where user_id = auth.uid())",
        "team_id not in (select team_id from members where user_id = auth.uid())",
        "team_id in (select m.team_id from members m where m.rank > 2)",
        "exists (select 1 from members m where m.team_id = documents.team_id and m.user_id = auth.uid())",
        "exists (select from members where members.team_id = documents.team_id)",
        "not exists (select 1 from members m where documents.team_id = m.team_id and m.rank in (1, 2))",
        "title = any (select title from members)", "team_id = (select max(team_id) from members)",
        "(auth.jwt() -> 'app' ->> 'role') = 'boss' or owner_id = auth.uid()",
        "auth.jwt() ->> 'title' in ('a', 'b') or title is null",
        "team_id = any (array(select jsonb_array_elements_text(auth.jwt() -> 'teams')::bigint))",
        "title = 'A' collate \"C\"",
    ]

    /// Policies that PostgreSQL decides.
    static let checked = [
        "data ->> 'owner' = 'me'", "opaque(team_id)", "ratio > 1", "title like 'a%'", "title > 'a'",
        "tags @> '{a}'",
        "level + 1 = 2", "made < now()", "due > made", "round(price) = 1",
        "(is_public and is_old) is not distinct from true or false",
        "exists (select from members m where m.team_id > documents.team_id)",
        "exists (select from members m where m.team_id = documents.team_id limit 0)",
        "case when is_public then level = 1 else level = 2 end",
        "(team_id, level) in (select team_id, rank from members)",
        "mood > 'calm'", "length(title) = 1", "title collate \"C\" = 'A'",
    ]

    static let claims = [
        #"{"sub": "00000000-0000-4000-8000-000000000001", "role": "reader", "team": 3, "level": 1, "title": "a", "#
            + #""limit": "1.50", "mood": "sad", "flag": true, "teams": [1, 3]}"#,
        #"{"sub": "00000000-0000-4000-8000-000000000002", "role": "writer", "team": "5", "level": -3, "title": "team","#
            + #" "limit": 1e3, "mood": "happy", "flag": "false", "admin": "yes", "teams": []}"#,
        #"{"sub": "00000000-0000-4000-8000-000000000003", "limit": "NaN", "app": {"role": "boss"}, "teams": [-9]}"#,
        "{}",
    ]

    /// The rows of the table, which stay the same under every policy.
    private struct Rows {
        var values: [[FeedValue]]
        /// As a change shows them.
        var views: [RowView]
    }

    /// Two halves, each with a database of its own, so that they take no longer than one on two processors.
    @Test(arguments: [0, 1]) func compiledPoliciesDecideAsPostgreSQLDoes(half: Int) async throws {
        let database = try await PolicyDatabase.make()
        let rows = try await rows(of: database)
        var cases = Self.compiled.map { ([("permissive", $0)], true) }
        cases += Self.checked.map { ([("permissive", $0)], false) }
        cases += zip(Self.compiled, Self.compiled.reversed()).prefix(8).map {
            ([("permissive", $0), ("restrictive", $1), ("permissive", "owner_id = auth.uid()")], true)
        }
        cases.append(([("restrictive", "true")], false))
        var compared = 0
        for (number, (policies, isCompiled)) in cases.enumerated() where number % 2 == half {
            do {
                compared += try await compare(policies, isCompiled, rows, database)
            } catch let fault as PostgresFault {
                Issue.record("\(policies): \(fault.message)")
            }
        }
        #expect(compared > 1_500_000)
        await database.shutdown()
    }

    private func rows(of database: Database) async throws -> Rows {
        let table = try await AccessBook(database: database).table(schema: "public", name: "documents")
        let relation = PolicyDatabase.relation(table)
        let map = ColumnMap(table, relation)
        let values = try await PolicyDatabase.rows(of: table, in: database)
        let views = try values.map {
            try #require(RowView.after(RowChange(kind: .insert, relation: relation, new: $0), map))
        }
        return Rows(values: values, views: views)
    }

    /// - Returns: how many decisions were compared.
    private func compare(
        _ policies: [(kind: String, text: String)], _ isCompiled: Bool, _ rows: Rows, _ database: Database
    ) async throws -> Int {
        try await install(policies, database)
        let book = AccessBook(database: database)
        let table = try await book.table(schema: "public", name: "documents")
        let access = try await book.access(of: "reader", to: table)
        let compiled = PolicyCompiler.compile(table, access)
        #expect((compiled != nil) == isCompiled, "\(policies)")
        let check = RowCheck(database: database, searchPath: "public")
        for claims in Self.claims {
            let principal = PolicyDatabase.principal(claims)
            let expected = try await check.values(
                of: ["array(select id from documents order by id)"], as: principal)
            let shown = Set(
                expected.string(0, 0)?.dropFirst().dropLast().split(separator: ",").compactMap { Int($0) }
                    ?? [])
            var decided: Set<Int> = []
            if let compiled {
                let answer =
                    compiled.parameters.isEmpty
                    ? nil : try await check.values(of: compiled.expressions, as: principal)
                let read = answer.map { ParameterValue.read($0, as: compiled.parameters) } ?? []
                let parameters = try #require(read, "\(policies) \(compiled.parameters)")
                for (index, view) in rows.views.enumerated() {
                    switch compiled.predicate.evaluate(view, parameters) {
                    case .true: decided.insert(index + 1)
                    case .false, .null: break
                    case .unknown: Issue.record("\(policies) row \(index + 1): unknown")
                    }
                }
            } else if let condition = access.condition(table) {
                let values = rows.values.map { $0.map(Self.text) }
                let outcomes = try await check.outcomes(
                    of: [SQL(trusted: condition)], for: values, in: table, as: principal)
                for (index, outcome) in outcomes.enumerated() where outcome[0] { decided.insert(index + 1) }
            }
            #expect(
                decided == shown,
                "\(policies) for \(claims): \(decided.symmetricDifference(shown).sorted().prefix(5))")
        }
        return rows.values.count * Self.claims.count
    }

    private static func text(_ value: FeedValue) -> ArraySlice<UInt8>? {
        if case .text(let text) = value { text } else { nil }
    }

    private func install(_ policies: [(kind: String, text: String)], _ database: Database) async throws {
        try await database.withSession { session in
            for number in 0..<3 {
                try await session.simpleQuery("drop policy if exists p\(number) on documents")
            }
            for (number, policy) in policies.enumerated() {
                try await session.simpleQuery(
                    "create policy p\(number) on documents as \(policy.kind) for select using (\(policy.text))"
                )
            }
        }
    }
}
