import ApusCatalog
import ApusPlanner
import ApusSQL
import Testing

@testable import ApusDataAPI

@Suite struct CallTests {
    private func function(
        _ parameters: [Function.Parameter] = [], isSet: Bool = false, isComposite: Bool = false
    ) -> Function {
        Function(
            name: Name("test", "f"), parameters: parameters,
            result: .init(type: Name("pg_catalog", "int4"), isSet: isSet, isComposite: isComposite),
            volatility: .stable)
    }

    private func call(_ function: Function, _ arguments: CallPlan.Arguments) -> RenderedPlan {
        render(
            .calling(CallPlan(function: function, arguments: arguments, returning: ["*"], filterColumns: []))
        ) { $0.readsSettingsAfterCalls = false }
    }

    @Test func aScalarIsItsValue() {
        let rendered = call(function(), .none)
        #expect(
            rendered.main.text.sql == #"""
                SELECT coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null') AS body FROM (SELECT "f".* FROM \#
                (SELECT "pgrst_call".pgrst_scalar FROM (SELECT "test"."f"() AS pgrst_scalar) AS "pgrst_call") \#
                AS "f") AS _postgrest_t
                """#)
        #expect(rendered.layout == ResultLayout(pageTotal: .constant(1), body: 0))
    }

    @Test func rowsAreCounted() {
        let rendered = call(function(isSet: true, isComposite: true), .none)
        #expect(rendered.layout == ResultLayout(pageTotal: .column(0), body: 1))
        #expect(
            rendered.main.text.sql.contains(
                #"(SELECT "pgrst_call".* FROM "test"."f"() AS "pgrst_call") AS "f""#))
    }

    @Test func directArguments() {
        let a = Function.Parameter(name: "a", type: "character(3)", castType: "character varying")
        let list = Function.Parameter(name: "list", type: "integer[]", isVariadic: true)
        let rendered = call(
            function([a, list]),
            .direct([
                .init(parameter: a, values: [.slot(index: 0, dropping: 0)]),
                .init(parameter: list, values: [.slot(index: 1, dropping: 0), .slot(index: 2, dropping: 0)]),
            ]))
        #expect(
            rendered.main.text.sql.contains(
                #""test"."f"("a" := $1::character varying, VARIADIC "list" := $2::integer[])"#))
        #expect(
            rendered.main.sources == [
                .operand(.slot(index: 0, dropping: 0), .plain),
                .array([.slot(index: 1, dropping: 0), .slot(index: 2, dropping: 0)]),
            ])
    }

    @Test func argumentsOutOfABody() {
        let a = Function.Parameter(name: "a", type: "integer")
        let rendered = call(function([a]), .json([a]))
        #expect(
            rendered.main.text.sql.contains(
                #"""
                FROM (SELECT * FROM json_to_recordset($1) AS _("a" integer) LIMIT 1) AS "pgrst_body", \#
                LATERAL (SELECT "test"."f"("a" := "pgrst_body"."a") AS pgrst_scalar) AS "pgrst_call"
                """#))
    }

    @Test(arguments: [
        ("json", #""f"($1)"#, BindSource.BodyEncoding.raw(oid: TypeOID.json)),
        ("bytea", #""f"($1)"#, .raw(oid: TypeOID.bytea)),
        ("xml", #""f"($1::xml)"#, .text),
    ])
    func theBodyAsTheArgument(
        _ type: String, _ expected: String, _ encoding: BindSource.BodyEncoding
    ) {
        let parameter = Function.Parameter(name: "", type: type)
        let rendered = call(function([parameter]), .body(parameter))
        #expect(rendered.main.text.sql.contains(expected))
        #expect(rendered.main.sources == [.body(encoding)])
    }

    @Test func aPageThatIsCountedCallsOnce() {
        let plan = CallPlan(
            function: function(isSet: true, isComposite: true), arguments: .none, returning: ["id"],
            filterColumns: ["id", "kind"])
        let text = sql(.calling(plan, count: .exact, range: RowRange(offset: 0, limit: 2)))
        #expect(
            text.hasPrefix(
                #"""
                WITH pgrst_source AS (SELECT "pgrst_call"."id", "pgrst_call"."kind" FROM "test"."f"() \#
                AS "pgrst_call") SELECT (SELECT count(*) FROM (SELECT 1 FROM pgrst_source AS "f")
                """#))
        #expect(text.ranges(of: #""test"."f"()"#).count == 1)
    }

    /// Else PostgreSQL would not call a stable function whose value nobody reads.
    @Test func withoutABodyAScalarIsLookedAt() {
        let plan = CallPlan(function: function(), arguments: .none, returning: ["*"], filterColumns: [])
        #expect(sql(.calling(plan, .none)).hasPrefix("SELECT count(_postgrest_t) AS page_total"))
    }
}
