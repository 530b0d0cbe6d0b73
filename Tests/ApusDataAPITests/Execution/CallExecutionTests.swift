import ApusCatalog
import ApusPlanner
import ApusPostgres
import Testing

@testable import ApusDataAPI

@Suite struct CallExecutionTests {
    private let a = Function.Parameter(name: "a", type: "integer")

    private func function(
        _ name: String, _ parameters: [Function.Parameter] = [], isSet: Bool = false,
        isComposite: Bool = false
    ) -> Function {
        Function(
            name: Name("test", name), parameters: parameters,
            result: .init(type: Name("pg_catalog", "any"), isSet: isSet, isComposite: isComposite),
            volatility: .stable)
    }

    private func call(_ function: Function, _ arguments: CallPlan.Arguments) -> CallPlan {
        CallPlan(function: function, arguments: arguments, returning: ["*"], filterColumns: [])
    }

    @Test func scalarByQuery() async throws {
        let plan = call(
            function("add", [a]), .direct([.init(parameter: a, values: [.slot(index: 0, dropping: 0)])]))
        let result = try await RenderDatabase.run(.calling(plan), values: ["5"])
        #expect(result.body == "15")
        #expect(result.pageTotal == 1)
    }

    @Test(arguments: [#"{"a": 5}"#, #"[{"a": 5}, {"a": 6}]"#])
    func scalarByBody(_ body: String) async throws {
        let plan = call(function("add", [a]), .json([a]))
        #expect(try await RenderDatabase.run(.calling(plan), body: body).body == "15")
    }

    @Test func variadic() async throws {
        let list = Function.Parameter(name: "list", type: "text[]", isVariadic: true)
        let plan = call(
            function("joined", [list]),
            .direct([
                .init(
                    parameter: list,
                    values: [.slot(index: 0, dropping: 0), .slot(index: 1, dropping: 0)])
            ]))
        let result = try await RenderDatabase.run(.calling(plan), values: ["a,b", "null"])
        #expect(result.body == #""a,b|null""#)
    }

    @Test func theBody() async throws {
        let parameter = Function.Parameter(name: "", type: "json")
        let plan = call(function("echo", [parameter]), .body(parameter))
        #expect(try await RenderDatabase.run(.calling(plan), body: #"{"x": [1]}"#).body == #"{"x": [1]}"#)
    }

    @Test func rowsWithTheirLevelsBelow() async throws {
        let most = Function.Parameter(name: "most", type: "numeric")
        let plan = call(
            function("cheap", [most], isSet: true, isComposite: true),
            .direct([.init(parameter: most, values: [.slot(index: 0, dropping: 0)])]))
        var read = ReadPlan.written("items", [.column("id")]).embedding("parts", join: .inner)
        read.order = [.field(PlannedField(name: "id"), nil, nil)]
        let result = try await RenderDatabase.run(
            .calling(plan, then: read, count: .exact, range: RowRange(limit: 1)), values: ["100"])
        #expect(result.body == #"[{"id":1,"parts":[{"id": 1}, {"id": 2}]}]"#)
        #expect(result.pageTotal == 1)
        #expect(result.total == 2)
    }

    @Test func setsOfScalars() async throws {
        let plan = call(function("numbers", isSet: true), .none)
        let result = try await RenderDatabase.run(.calling(plan))
        #expect(result.body == "[1, 2, 3]")
        #expect(result.pageTotal == 3)
    }

    /// What a function says is wrong is an answer, with a body or without.
    @Test(arguments: [ResolvedHandler.Kind.json, .none])
    func errorsAreNotOptimizedAway(_ kind: ResolvedHandler.Kind) async throws {
        let plan = call(function("fails", [a]), .direct([.init(parameter: a, values: [.literal("0")])]))
        let refusal = await #expect(throws: PostgresFault.self) {
            try await RenderDatabase.run(.calling(plan, kind))
        }
        #expect(refusal?.sqlState == "22012")
    }
}
