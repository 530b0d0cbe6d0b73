import ApusCatalog
import ApusPlanner
import ApusPostgres
import Testing

@testable import ApusDataAPI

@Suite struct ReadExecutionTests {
    private let items = ReadPlan.of("items", [.column("id"), .column("name")])

    @Test func rowsAreLinesOfAnArray() async throws {
        let plan = items.filtered(.filter("id", .isIn(.slot(index: 0, dropping: 3))))
            .ordered(.field(PlannedField(name: "id"), .ascending, nil))
        let result = try await RenderDatabase.run(.reading(plan), values: ["in.(1,2)"])
        #expect(result.body == "[{\"id\":1,\"name\":\"lamp\"}, \n {\"id\":2,\"name\":\"a, b\"}]")
        #expect(result.pageTotal == 2)
    }

    @Test func listsQuoteAndMayBeEmpty() async throws {
        let plan = items.filtered(.filter("name", .isIn(.slot(index: 0, dropping: 3))))
        let quoted = try await RenderDatabase.run(.reading(plan), values: [#"in.("a, b")"#])
        #expect(quoted.body == #"[{"id":2,"name":"a, b"}]"#)
        let empty = try await RenderDatabase.run(.reading(plan), values: ["in.()"])
        #expect(empty.body == "[]")
        #expect(empty.pageTotal == 0)
    }

    /// Parameters have no type of their own; PostgreSQL takes that of the column.
    @Test(arguments: [
        (PlannedCondition.filter("price", .quantified(.lessThan, nil, .literal("10"))), 1),
        (.filter("created", .quantified(.greaterThan, nil, .literal("2019-12-31"))), 3),
        (.filter("tags", .compare(.contains, .literal("{a}"))), 1),
        (.filter("id", .quantified(.equal, .any, .literal("{1,3}"))), 2),
        (.filter("name", .quantified(.like, nil, .literal("*a*"))), 3),
        (.filter("price", .isDistinctFrom(.literal("20"))), 2),
        (.filter("name", .fullText(.plain, language: "english", .literal("lamps"))), 1),
        (
            .filter(
                PlannedField(
                    name: "data", path: [.init(.key("k"), asText: false), .init(.key("n"), asText: true)]),
                .quantified(.equal, nil, .literal("3"))), 1
        ),
        (
            .filter(
                PlannedField(name: "tags", path: [.init(.index("0"), asText: true)], needsJSON: true),
                .quantified(.equal, nil, .literal("a"))), 1
        ),
        (.filter("name", .quantified(.like, .all, .literal("{*a*,l*}")), isNegated: true), 2),
    ])
    func valuesTakeTheColumnsType(_ condition: PlannedCondition, _ count: Int) async throws {
        let result = try await RenderDatabase.run(.reading(items.filtered(condition)))
        #expect(result.pageTotal == count)
    }

    @Test func embeddedValuesHaveTheBytesOfJSONB() async throws {
        let plan = items.filtered(.equals("id"))
            .embedding("parts", [.column("id")]).embedding(one: "shop", [.column("name"), .column("id")])
        let result = try await RenderDatabase.run(.reading(plan), values: ["eq.1"])
        #expect(
            result.body
                == #"""
                [{"id":1,"name":"lamp","parts":[{"id": 1}, {"id": 2}],"shop":{"id": 1, "name": "corner"}}]
                """#)
        let none = try await RenderDatabase.run(.reading(plan), values: ["eq.3"]) { $0.embedFormat = .json }
        #expect(none.body == #"[{"id":3,"name":"chair","parts":[{"id":3}],"shop":null}]"#)
    }

    /// A level that decides says the same in the rows and in their number, however it is asked for.
    @Test(arguments: [RowRange.all, RowRange(offset: 1, limit: 5)])
    func innerLevels(_ range: RowRange) async throws {
        var plan = ReadPlan.of("items", [.column("id")])
            .embedding("parts", join: .inner) { $0.range = range }
            .ordered(.field(PlannedField(name: "id"), nil, nil))
        plan.range = RowRange(limit: 10)
        let result = try await RenderDatabase.run(.reading(plan, count: .exact))
        let ids = range == .all ? [1, 3] : [1]
        #expect(result.pageTotal == ids.count)
        #expect(result.body?.contains(#"{"id":3"#) == ids.contains(3))
        #expect(result.total == 2)
    }

    @Test(arguments: [(false, 1), (true, 2)])
    func nullFilters(_ isNegated: Bool, _ count: Int) async throws {
        let condition = PlannedCondition.embeddedIsNull(
            isNegated: isNegated, subqueryAlias: "items_parts_1")
        let plan = items.embedding("parts").filtered(condition)
        let empty = items.embedding("parts", isEmpty: true).filtered(condition)
        let paged = items.embedding("parts") { $0.range.limit = 1 }.filtered(condition)
        for plan in [plan, empty, paged] {
            let result = try await RenderDatabase.run(.reading(plan, count: .exact))
            #expect(result.pageTotal == count)
            #expect(result.total == count)
        }
    }

    @Test func computedRelationships() async throws {
        let plan = items.filtered(.equals("id")).embedding("parts") { level in
            level.relationship = Relationship(
                source: Name("test", "items"), target: Name("test", "parts"),
                cardinality: .computed(function: Name("test", "parts_of"), returnsOne: false))
            level.joinConditions = []
        }
        let result = try await RenderDatabase.run(.reading(plan), values: ["eq.3"])
        #expect(result.body == #"[{"id":3,"name":"chair","parts":[{"id": 3}]}]"#)
    }

    @Test func relatedOrder() async throws {
        let plan = ReadPlan.of("items", [.column("id")])
            .embedding(one: "shop", [.column("name")], isEmpty: true)
            .ordered(.related(subqueryAlias: "items_shop_1", Field(name: "name"), .descending, .last))
        let result = try await RenderDatabase.run(.reading(plan))
        #expect(result.body == "[{\"id\":2}, \n {\"id\":1}, \n {\"id\":3}]")
    }

    @Test func aggregatesBesideEmbedded() async throws {
        let plan = ReadPlan.of("items", [.aggregate(.count, "*", alias: "count")])
            .embedding(one: "shop", [.column("name")])
        let result = try await RenderDatabase.run(.reading(plan)) { $0.embedFormat = .json }
        #expect(result.pageTotal == 3)
        #expect(result.body?.contains(#"{"count":1,"shop":{"name": "mall"}}"#) == true)
    }

    @Test func spreadsOfMany() async throws {
        var plan = ReadPlan.of("items", [.column("id")]).filtered(.equals("id"))
            .embedding("parts", [.column("id", alias: "part")]) {
                $0.spread = .toMany(
                    extra: [.init(relation: nil, column: .column("id", alias: "o"))],
                    order: [.field(PlannedField(name: "o"), .descending, nil)])
            }
        plan.embeddedSelect = [.spread([.init(name: "part")], subqueryAlias: "items_parts_1")]
        let result = try await RenderDatabase.run(.reading(plan), values: ["eq.1"])
        #expect(result.body == #"[{"id":1,"part":[2, 1]}]"#)
    }

    @Test func pagesAndTotals() async throws {
        let plan = items.ordered(.field(PlannedField(name: "id"), nil, nil)).paged(1, offset: 1)
        let exact = try await RenderDatabase.run(.reading(plan, count: .exact))
        #expect(exact.body == #"[{"id":2,"name":"a, b"}]"#)
        #expect(exact.total == 3)
        let estimated = try await RenderDatabase.run(.reading(plan, count: .estimated, maxRows: 1))
        #expect(estimated.total == 2)
        #expect(estimated.explained?.string(0, 0)?.contains("\"Plan Rows\"") == true)
    }

    private static let bodiesByKind: [(ResolvedHandler.Kind, String?)] = [
        (.singleJSON(stripsNulls: false), #"{"id":2,"name":"a, b","price":null}"#),
        (.singleJSON(stripsNulls: true), #"{"id":2,"name":"a, b"}"#),
        (.arrayWithoutNulls, #"[{"id":2,"name":"a, b"}]"#),
        (.csv, "id,name,price\n2,\"a, b\","),
        (.none, nil),
    ]

    @Test(arguments: bodiesByKind)
    func bodies(_ kind: ResolvedHandler.Kind, _ expected: String?) async throws {
        let plan = ReadPlan.of("items", [.column("id"), .column("name"), .column("price")])
            .filtered(.equals("id"))
        let result = try await RenderDatabase.run(.reading(plan, kind), values: ["eq.2"])
        #expect(result.body == expected)
        #expect(result.pageTotal == 1)
    }

    @Test func executionPlans() async throws {
        let plan = Plan.reading(items, mediaType: .plan(of: .json, format: .json, options: [.verbose]))
        let result = try await RenderDatabase.run(plan)
        #expect(result.rows.string(0, 0)?.contains("\"Total Cost\"") == true)
    }

    @Test func aCastIsNoWayIn() async throws {
        let plan = ReadPlan.of("items", [.column("id", cast: "int) from test.shop --")])
        await #expect(throws: PostgresFault.self) { try await RenderDatabase.run(.reading(plan)) }
    }
}
