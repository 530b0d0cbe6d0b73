import ApusCatalog
import ApusPlanner
import ApusSQL
import Testing

@testable import ApusDataAPI

@Suite struct WriteTests {
    private let name = PlannedField(name: "name", type: "text")
    private let id = PlannedField(name: "id", type: "bigint", defaultExpression: "nextval('s')")

    private func write(
        _ change: WritePlan.Change, filters: [PlannedCondition] = [], returning: [String] = [],
        appliesDefaults: Bool = false
    ) -> WritePlan {
        WritePlan(
            target: Name("test", "items"), change: change, filters: filters, returning: returning,
            appliesDefaults: appliesDefaults, takesBody: true, targetIsView: false)
    }

    private func insert(
        _ columns: [PlannedField], conflict: WritePlan.Conflict? = nil, key: [String] = []
    ) -> WritePlan.Change {
        .insert(columns: columns, conflict: conflict, primaryKey: key)
    }

    @Test func aMinimalInsertIsBare() {
        let rendered = render(.writing(.insert, write(insert([id, name]))))
        #expect(
            rendered.main.text.sql == #"""
                INSERT INTO "test"."items" ("id", "name") SELECT "pgrst_body"."id", "pgrst_body"."name" \#
                FROM json_to_recordset($1) AS "pgrst_body"("id" bigint, "name" text)
                """#)
        #expect(rendered.main.sources == [.body(.jsonRows)])
        #expect(rendered.layout == ResultLayout(pageTotal: .commandTag))
        #expect(rendered.responseSettings?.text.sql.contains("response.headers") == true)
    }

    @Test func aRepresentationIsReadFromWhatWasReturned() {
        let plan = write(insert([name]), returning: ["id", "name"])
        let rendered = render(.writing(.insert, plan, then: .written("items"), .json)) {
            $0.readsSettingsAfterWrites = false
        }
        #expect(
            rendered.main.text.sql == #"""
                WITH pgrst_source AS (INSERT INTO "test"."items" ("name") SELECT "pgrst_body"."name" \#
                FROM json_to_recordset($1) AS "pgrst_body"("name" text) \#
                RETURNING "test"."items"."id", "test"."items"."name") \#
                SELECT count(*) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body \#
                FROM (SELECT "items".* FROM pgrst_source AS "items") AS _postgrest_t
                """#)
        #expect(rendered.responseSettings == nil)
    }

    @Test func headersOnlyTellsTheKey() {
        let plan = write(insert([name], key: ["id"]), returning: ["id"])
        let rendered = render(
            .writing(.insert, plan, preferences: Preferences(representation: .headersOnly)))
        #expect(rendered.layout.header == 1)
        #expect(rendered.layout.body == nil)
        #expect(rendered.main.text.sql.contains("WHERE key IN ('id')"))
        #expect(rendered.main.text.sql.hasSuffix("FROM (SELECT * FROM pgrst_source) AS _postgrest_t"))
    }

    @Test func missingKeysGetDefaults() {
        let rendered = render(.writing(.insert, write(insert([id, name]), appliesDefaults: true)))
        #expect(
            rendered.main.text.sql.hasSuffix(
                #"""
                FROM (SELECT "id", "name" FROM jsonb_array_elements($1) AS element, \#
                jsonb_to_record(jsonb_build_object('id', nextval('s')) || element) AS _("id" bigint, "name" text)) \#
                AS "pgrst_body"
                """#))
        #expect(rendered.main.sources == [.body(.jsonbRows)])
    }

    @Test func representationsReadPayloads() {
        let color = PlannedField(name: "color", type: "json", transform: "test.color")
        let text = sql(.writing(.insert, write(insert([color]))))
        #expect(
            text.hasSuffix(
                #"""
                FROM (SELECT test.color("color") AS "color" FROM json_to_recordset($1) AS _("color" json)) \#
                AS "pgrst_body"
                """#))
    }

    @Test func mergesCountWhatTheyFound() {
        let conflict = WritePlan.Conflict(resolution: .mergeDuplicates, columns: ["id"])
        let rendered = render(
            .writing(
                .insert, write(insert([id, name], conflict: conflict, key: ["id"])),
                preferences: Preferences(resolution: .mergeDuplicates)))
        let text = rendered.main.text.sql
        #expect(
            text.contains(
                #"ON CONFLICT ("id") DO UPDATE SET "id" = EXCLUDED."id", "name" = EXCLUDED."name" WHERE set_config("#
            ))
        #expect(text.contains(" RETURNING 1)"))
        #expect(rendered.layout.inserted == 3)
    }

    @Test func duplicatesCanBeIgnored() {
        let conflict = WritePlan.Conflict(resolution: .ignoreDuplicates, columns: ["id"])
        let text = sql(
            .writing(
                .insert, write(insert([id], conflict: conflict)),
                preferences: Preferences(resolution: .ignoreDuplicates)))
        #expect(text.hasSuffix(#" ON CONFLICT ("id") DO NOTHING"#))
    }

    @Test func putChecksTheKeyInTheBody() {
        let conflict = WritePlan.Conflict(resolution: .mergeDuplicates, columns: ["id"])
        let text = sql(
            .writing(.upsertOne, write(insert([id, name], conflict: conflict), filters: [.equals("id")])))
        #expect(text.contains(#"WHERE "pgrst_body"."id" = $2 ON CONFLICT"#))
        #expect(text.contains("apus-row-guard:key="))
    }

    @Test func update() {
        let rendered = render(.writing(.update, write(.update(columns: [name]), filters: [.equals("id")])))
        #expect(
            rendered.main.text.sql == #"""
                UPDATE "test"."items" SET "name" = "pgrst_body"."name" \#
                FROM json_to_recordset($1) AS "pgrst_body"("name" text) WHERE "test"."items"."id" = $2
                """#)
        #expect(rendered.main.sources == [.body(.jsonRows), .operand(.slot(index: 0, dropping: 3), .plain)])
    }

    @Test func anUpdateOfNothingSelectsNothing() {
        #expect(
            sql(.writing(.update, write(.update(columns: []))))
                == #"SELECT NULL FROM "test"."items" WHERE false"#)
    }

    @Test func delete() {
        #expect(
            sql(.writing(.delete, write(.delete, filters: [.equals("id")])))
                == #"DELETE FROM "test"."items" WHERE "test"."items"."id" = $1"#)
    }

    @Test func limitsOnRowsAreCheckedInTheStatement() {
        let text = sql(
            .writing(
                .delete, write(.delete), preferences: Preferences(handling: .strict, maxAffected: 2)))
        #expect(text.contains("WITH pgrst_source AS (DELETE FROM"))
        #expect(text.contains("case when count(*) > 2 then"))
    }
}
