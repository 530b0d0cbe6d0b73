import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@Suite("Calls")
struct CallTests {
    private let builder = CatalogBuilder.projects
        .function(
            "find", .optional("id"), .optional("name"), returns: .rows(of: "projects"), volatility: .stable
        )
        .function(
            "variadic", .required("first"),
            Function.Parameter(name: "rest", type: "text[]", isRequired: false, isVariadic: true)
        )
        .function("one")

    private func call(_ intent: Intent) throws -> CallPlan? {
        guard case .call(let call, _) = try plan(intent, in: builder).work else { return nil }
        return call
    }

    private func get(
        _ name: String, _ arguments: [(String, Int)], select: [SelectItem] = [.star],
        filters: [Intent.Placed<Filter>] = []
    ) -> Intent {
        intent(.call(isReadOnly: true), name, select: select) {
            $0.arguments = arguments.map {
                Intent.Argument(name: $0.0, value: .slot(index: $0.1, dropping: 0))
            }
            $0.filters = filters
        }
    }

    @Test("what reads as a filter is one, even with the name of a parameter")
    func filtersAreNoArguments() throws {
        let asked = get(
            "find",
            [("id", 0), ("id", 1), ("name", 2), ("client_id", 3), ("clients.name", 4)],
            select: [.star, .embed("clients")],
            filters: [
                .equal(name: "id", slot: 1), .isNull(name: "client_id"), .isNull("clients", name: "name"),
            ])
        let plan = try call(asked)
        guard case .direct(let arguments) = plan?.arguments else {
            Issue.record("no direct arguments")
            return
        }
        #expect(arguments.map(\.parameter.name) == ["id", "name"])
        #expect(arguments.map(\.values) == [[.slot(index: 0, dropping: 0)], [.slot(index: 2, dropping: 0)]])
        #expect(plan?.filterColumns == ["client_id", "id"])
    }

    @Test("a variadic parameter takes all of its name, another the last")
    func variadic() throws {
        let plan = try call(get("variadic", [("first", 0), ("rest", 1), ("first", 2), ("rest", 3)]))
        guard case .direct(let arguments) = plan?.arguments else {
            Issue.record("no direct arguments")
            return
        }
        #expect(
            arguments.map(\.values) == [
                [.slot(index: 2, dropping: 0)],
                [.slot(index: 1, dropping: 0), .slot(index: 3, dropping: 0)],
            ])
    }

    @Test("a JSON body gives the parameters that it has keys for")
    func json() throws {
        let asked = intent(.call(isReadOnly: false), "find") { $0.payload = .json(keys: ["name"]) }
        guard case .json(let parameters) = try call(asked)?.arguments else {
            Issue.record("no arguments out of the body")
            return
        }
        #expect(parameters.map(\.name) == ["name"])
        let empty = intent(.call(isReadOnly: false), "one") { $0.payload = .json(keys: []) }
        #expect(try call(empty)?.arguments == CallPlan.Arguments.none)
    }

    @Test("rows of a relation can be embedded into, and come with what that needs")
    func embedding() throws {
        let asked = get("find", [], select: [.column("name"), .embed("clients", .star)])
        #expect(try call(asked)?.returning == ["client_id", "name"])
        let read = try readPlan(asked, in: builder)
        #expect(read.source == Name("test", "projects"))
        #expect(read.sourceAlias == "projects")
        #expect(read.children[0].joinConditions[0].right.table == Name("", "projects"))
    }

    @Test("is read-only by the promise of the method or of the function")
    func readOnly() throws {
        #expect(try plan(get("one", []), in: builder).isReadOnly)
        #expect(try plan(intent(.call(isReadOnly: false), "find"), in: builder).isReadOnly)
        #expect(try !plan(intent(.call(isReadOnly: false), "one"), in: builder).isReadOnly)
        #expect(try plan(intent("clients")).isReadOnly)
        #expect(try !plan(intent(.delete, "clients")).isReadOnly)
    }

    @Test("max-affected needs a set, under strict handling")
    func maxAffected() {
        func asked(_ name: String, _ handling: Preferences.Handling) -> Intent {
            intent(.call(isReadOnly: false), name) {
                $0.preferences.maxAffected = 1
                $0.preferences.handling = handling
            }
        }
        let refusal = fault(asked("one", .strict), in: builder)
        #expect(refusal?.code == "PGRST128")
        #expect(
            refusal?.message
                == "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"
        )
        #expect(fault(asked("one", .lenient), in: builder) == nil)
        #expect(fault(asked("find", .strict), in: builder) == nil)
    }
}
