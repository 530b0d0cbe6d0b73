import ApusCatalog
import ApusPlanner
import ApusSQL
import Testing

@testable import ApusDataAPI

@Suite struct ReadTests {
    @Test func theCommonReadCarriesTwoColumns() {
        let rendered = render(.reading(ReadPlan.of("items").filtered(.equals("id"))))
        #expect(
            rendered.main.text.sql == #"""
                SELECT count(*) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body \#
                FROM (SELECT "test"."items".* FROM "test"."items" WHERE "test"."items"."id" = $1) \#
                AS _postgrest_t
                """#)
        #expect(rendered.layout == ResultLayout(pageTotal: .column(0), body: 1))
        #expect(rendered.main.sources == [.operand(.slot(index: 0, dropping: 3), .plain)])
        #expect(rendered.responseSettings == nil)
        #expect(rendered.explainCount == nil)
    }

    @Test func settingsOfTheResponseAreToldOnDemand() {
        let rendered = render(.reading(.of("items"))) { $0.readsSettingsAfterReads = true }
        #expect(rendered.layout.responseHeaders == 2)
        #expect(rendered.layout.responseStatus == 3)
        #expect(rendered.main.text.sql.contains("nullif(current_setting('response.status', true), '')"))
    }

    @Test func orderAndPage() {
        let plan = ReadPlan.of("items", [.column("id"), .column("name", alias: "n")])
            .ordered(
                .field(PlannedField(name: "name"), .descending, .last),
                .field(PlannedField(name: "id"), nil, nil)
            ).paged(20, offset: 40)
        #expect(
            rows(plan) == #"""
                SELECT "test"."items"."id", "test"."items"."name" AS "n" FROM "test"."items" \#
                ORDER BY "test"."items"."name" DESC NULLS LAST, "test"."items"."id" LIMIT 20 OFFSET $1
                """#)
    }

    @Test func offsetsShareOneText() {
        let renderer = Renderer()
        let first = renderer.render(.reading(.of("items").paged(10, offset: 10))).main
        let second = renderer.render(.reading(.of("items").paged(10, offset: 20))).main
        #expect(first.text === second.text)
        #expect(first.sources == [.constant(.text("10"))])
        #expect(second.sources == [.constant(.text("20"))])
    }

    @Test func aggregatesGroupByTheRest() {
        let plan = ReadPlan.of(
            "items", [.column("kind"), .column("a", alias: "b"), .aggregate(.sum, "price", alias: "sum")])
        #expect(
            rows(plan) == #"""
                SELECT "test"."items"."kind", "test"."items"."a" AS "b", sum("test"."items"."price") AS "sum" \#
                FROM "test"."items" GROUP BY "test"."items"."kind", "b"
                """#)
    }

    @Test func anEmptySelectTakesAll() {
        #expect(rows(.of("items", [])) == #"SELECT "test"."items".* FROM "test"."items""#)
    }
}

@Suite struct CountTests {
    @Test func withoutAPageThePageIsTheTotal() {
        let rendered = render(.reading(.of("items"), count: .exact))
        #expect(rendered.layout.total == .samePage)
        #expect(!rendered.main.text.sql.contains("pgrst_source_count"))
    }

    @Test func exact() {
        let plan = ReadPlan.of("items").filtered(.equals("id")).paged(5)
        let rendered = render(.reading(plan, count: .exact))
        #expect(rendered.layout.total == .column(0))
        #expect(
            rendered.main.text.sql.hasPrefix(
                #"""
                SELECT (SELECT count(*) FROM (SELECT 1 FROM "test"."items" WHERE "test"."items"."id" = $1) \#
                AS pgrst_source_count) AS total_result_set, count(*) AS page_total
                """#))
        #expect(rendered.main.sources.count == 2)
    }

    @Test func estimatesStopBehindTheLimit() {
        let rendered = render(.reading(.of("items").paged(100), count: .estimated, maxRows: 100))
        #expect(rendered.main.text.sql.contains(#"FROM "test"."items" LIMIT 101) AS pgrst_source_count"#))
        #expect(rendered.explainCount?.text.sql == #"EXPLAIN (FORMAT JSON) SELECT 1 FROM "test"."items""#)
    }

    @Test func plannedCountsNothing() {
        let rendered = render(.reading(.of("items").paged(100), count: .planned))
        #expect(rendered.layout.total == nil)
        #expect(rendered.explainCount != nil)
    }

    @Test func innerLevelsDecide() {
        var builder = StatementBuilder(settings: RenderSettings())
        let plan = ReadPlan.of("items").embedding("parts", join: .inner).embedding("notes")
            .filtered(.embeddedIsNull(isNegated: false, subqueryAlias: "items_notes_1"))
        #expect(
            builder.countQuery(plan).text == #"""
                SELECT 1 FROM "test"."items" WHERE \#
                NOT EXISTS (SELECT 1 FROM "test"."notes" AS "notes_1" \#
                WHERE "notes_1"."items_id" = "test"."items"."id") AND \#
                EXISTS (SELECT 1 FROM "test"."parts" AS "parts_1" \#
                WHERE "parts_1"."items_id" = "test"."items"."id")
                """#)
    }
}
