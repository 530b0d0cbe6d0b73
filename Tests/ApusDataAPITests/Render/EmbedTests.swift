import ApusCatalog
import ApusPlanner
import Testing

@testable import ApusDataAPI

@Suite struct EmbedTests {
    private let parts = #"""
        SELECT "parts_1"."id" FROM "test"."parts" AS "parts_1" WHERE "parts_1"."items_id" = "test"."items"."id"
        """#

    @Test func manyAreAValueOfTheSelectList() {
        let plan = ReadPlan.of("items", [.column("id")]).embedding("parts")
        #expect(
            rows(plan) == #"""
                SELECT "test"."items"."id", \#
                (SELECT coalesce(jsonb_agg("items_parts_1"), '[]') FROM (\#(parts)) AS "items_parts_1") AS "parts" \#
                FROM "test"."items"
                """#)
        #expect(
            rows(plan) { $0.embedFormat = .json }.contains(#"coalesce(json_agg("items_parts_1"), '[]')"#))
    }

    @Test func oneIsJoined() {
        let plan = ReadPlan.of("items", [.column("id")]).embedding(one: "shop")
        #expect(
            rows(plan) == #"""
                SELECT "test"."items"."id", to_jsonb("items_shop_1".*) AS "shop" FROM "test"."items" \#
                LEFT JOIN LATERAL (SELECT "shop_1"."id" FROM "test"."shop" AS "shop_1" \#
                WHERE "shop_1"."id" = "test"."items"."shop_id") AS "items_shop_1" ON TRUE
                """#)
    }

    @Test func innerManyAreAskedForByExistence() {
        let plan = ReadPlan.of("items", [.column("id")]).embedding("parts", join: .inner)
        #expect(
            rows(plan).hasSuffix(
                #"""
                AS "parts" FROM "test"."items" WHERE EXISTS (SELECT 1 FROM "test"."parts" AS "parts_1" \#
                WHERE "parts_1"."items_id" = "test"."items"."id")
                """#))
    }

    /// With a page of its own, a level may be empty although rows exist; so what it shows decides.
    @Test func innerManyWithAPageAreJoined() {
        let plan = ReadPlan.of("items", [.column("id")])
            .embedding("parts", join: .inner) { $0.range = RowRange(offset: 3, limit: 1) }
        #expect(
            rows(plan) == #"""
                SELECT "test"."items"."id", coalesce("items_parts_1"."items_parts_1", '[]') AS "parts" \#
                FROM "test"."items" INNER JOIN LATERAL (\#
                SELECT jsonb_agg("items_parts_1") AS "items_parts_1" FROM (\#(parts) LIMIT 1 OFFSET $1) \#
                AS "items_parts_1") AS "items_parts_1" ON "items_parts_1" IS NOT NULL
                """#)
    }

    @Test func nullFiltersOnEmptyEmbedsNeedNoJoin() {
        let plan = ReadPlan.of("items", [.column("id")]).embedding(one: "shop", isEmpty: true)
            .filtered(.embeddedIsNull(isNegated: true, subqueryAlias: "items_shop_1"))
        #expect(
            rows(plan) == #"""
                SELECT "test"."items"."id" FROM "test"."items" WHERE EXISTS (SELECT 1 FROM "test"."shop" \#
                AS "shop_1" WHERE "shop_1"."id" = "test"."items"."shop_id")
                """#)
    }

    @Test func emptyEmbedsThatDecideNothingAreLeftOut() {
        let plan = ReadPlan.of("items", [.column("id")]).embedding("parts", isEmpty: true)
        #expect(rows(plan) == #"SELECT "test"."items"."id" FROM "test"."items""#)
    }

    @Test func relatedOrderKeepsTheJoin() {
        let plan = ReadPlan.of("items", [.column("id")]).embedding(one: "shop", isEmpty: true)
            .ordered(.related(subqueryAlias: "items_shop_1", Field(name: "id"), .ascending, nil))
        #expect(rows(plan).contains(" LEFT JOIN LATERAL ("))
        #expect(rows(plan).hasSuffix(#" ORDER BY "items_shop_1"."id" ASC"#))
    }

    @Test func groupedLevelsCompareEmbeddedValues() {
        var plan = ReadPlan.of("items", [.aggregate(.count, "*", alias: "count")])
        plan = plan.embedding("parts")
        let text = sql(.reading(plan)) { $0.embedFormat = .json }
        #expect(text.contains(#"SELECT jsonb_agg("items_parts_1") AS "items_parts_1""#))
        #expect(text.contains(#" GROUP BY "parts""#))
    }

    @Test func manyToManyBringsItsJunction() {
        let junction = Relationship.Junction(
            table: Name("test", "items_tags"), sourceConstraint: "a", targetConstraint: "b",
            sourceColumns: [], targetColumns: [])
        let plan = ReadPlan.of("items", []).embedding("tags") { level in
            level.sourceAlias = nil
            level.relationship = Relationship(
                source: Name("test", "items"), target: Name("test", "tags"),
                cardinality: .manyToMany(junction))
            level.joinConditions = []
        }
        #expect(
            rows(plan).contains(#"(SELECT "test"."tags"."id" FROM "test"."tags", "test"."items_tags")"#))
    }

    @Test func computedRelationshipsCallTheirFunction() {
        let plan = ReadPlan.of("items", []).embedding("parts") { level in
            level.relationship = Relationship(
                source: Name("test", "items"), target: Name("test", "parts"),
                cardinality: .computed(function: Name("test", "parts_of"), returnsOne: false))
            level.joinConditions = []
        }
        #expect(
            rows(plan).contains(#"FROM "test"."parts_of"("items"::"test"."items") AS "parts_1""#))
    }

    @Test func spreadsHandUpColumns() {
        var plan = ReadPlan.of("items", [.column("id")]).embedding(one: "shop", [.column("name")]) {
            $0.spread = .toOne
        }
        plan.embeddedSelect = [
            .spread([.init(name: "name", alias: "shop_name")], subqueryAlias: "items_shop_1")
        ]
        #expect(
            rows(plan).hasPrefix(#"SELECT "test"."items"."id", "items_shop_1"."name" AS "shop_name" FROM"#))
    }

    @Test func spreadsOfManyHandUpArrays() {
        var plan = ReadPlan.of("items", [.column("id")]).embedding("parts", [.column("name")]) {
            $0.spread = .toMany(
                extra: [.init(relation: nil, column: .column("size", alias: "order_1"))],
                order: [.field(PlannedField(name: "order_1"), .descending, nil)])
        }
        plan.embeddedSelect = [.spread([.init(name: "name")], subqueryAlias: "items_parts_1")]
        let text = rows(plan)
        #expect(text.contains(#"SELECT "parts_1"."name", "parts_1"."size" AS "order_1" FROM"#))
        #expect(
            text.contains(
                #"""
                coalesce(jsonb_agg("items_parts_1"."name" ORDER BY "items_parts_1"."order_1" DESC), '[]') AS "name"
                """#))
    }
}
