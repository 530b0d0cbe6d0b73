import ApusCatalog
import ApusPlanner
import ApusSQL
import Testing

@testable import ApusDataAPI

@Suite struct BodyTests {
    @Test(arguments: [
        (ResolvedHandler.Kind.json, "coalesce(json_agg(_postgrest_t), '[]')"),
        (.arrayWithoutNulls, "coalesce(json_strip_nulls(json_agg(_postgrest_t)), '[]')"),
        (
            .singleJSON(stripsNulls: false),
            "coalesce(string_agg(row_to_json(_postgrest_t)::text, ''), 'null')"
        ),
        (
            .singleJSON(stripsNulls: true),
            "coalesce(json_strip_nulls(json_agg(_postgrest_t)->0), 'null')"
        ),
        (
            .geoJSON,
            "json_build_object('type', 'FeatureCollection', 'features', "
                + "coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))"
        ),
        (.custom(Name("test", "twkb"), .anyElement), #""test"."twkb"(_postgrest_t)"#),
        (
            .custom(Name("test", "twkb"), .relation(Name("test", "lines"))),
            #""test"."twkb"(_postgrest_t::"test"."lines")"#
        ),
    ])
    func aggregate(_ kind: ResolvedHandler.Kind, _ expected: String) {
        #expect(sql(.reading(.of("items"), kind)).contains(expected + " AS body"))
    }

    @Test func csvReadsItsRowsTwice() {
        let text = sql(.reading(.of("items"), .csv))
        #expect(text.hasPrefix(#"WITH pgrst_rows AS (SELECT "test"."items".* FROM "test"."items") SELECT"#))
        #expect(text.hasSuffix("FROM (SELECT * FROM pgrst_rows) AS _postgrest_t"))
    }

    @Test func noBody() {
        let rendered = render(.reading(.of("items"), .none))
        #expect(rendered.layout == ResultLayout(pageTotal: .column(0)))
    }

    @Test func executionPlans() {
        let rendered = render(
            .reading(
                .of("items"), mediaType: .plan(of: .json, format: .text, options: [.analyze, .buffers]),
                count: .planned))
        #expect(rendered.main.text.sql.hasPrefix("EXPLAIN (FORMAT TEXT, ANALYZE, BUFFERS) SELECT"))
        #expect(rendered.layout == ResultLayout(pageTotal: .none, isExecutionPlan: true))
        #expect(rendered.explainCount == nil)
    }
}
