import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@Suite("Overloads are chosen by the names of the arguments")
struct FunctionChoiceTests {
    private let builder = CatalogBuilder()
        .function("sayhello", .required("name", "text"))
        .function("add_them", .required("a"), .required("b"))
        .function("overloaded")
        .function("overloaded", .required("a"), .required("b"))
        .function("overloaded", .required("a"), .required("b"), .required("c"))
        .function("defaults", .required("must"), .optional("may"), .optional("might"))
        .function("same", .required("arg", "xml"))
        .function("same", .required("arg", "integer"))
        .function("same", .required("arg", "text"), .optional("num", "integer"))
        .function("taker", .required("", "json"))
        .function("texter", .required("", "text"))
        .function("texter")
        .function("both", .required("", "json"))
        .function("both", .required("", "jsonb"))
        .function("named_and_not", .required("x"))
        .function("named_and_not", .required("", "jsonb"))

    private func get(_ name: String, _ arguments: String...) -> Intent {
        intent(.call(isReadOnly: true), name) {
            $0.arguments = arguments.enumerated().map {
                Intent.Argument(name: $1, value: .slot(index: $0, dropping: 0))
            }
        }
    }

    private func post(_ name: String, _ payload: Intent.Payload, _ type: MediaType = .json) -> Intent {
        intent(.call(isReadOnly: false), name) {
            $0.payload = payload
            $0.contentType = type
        }
    }

    private func call(_ intent: Intent) throws -> CallPlan? {
        guard case .call(let call, _) = try plan(intent, in: builder).work else { return nil }
        return call
    }

    @Test("required ones must be there, optional ones may")
    func matching() throws {
        #expect(try call(get("overloaded"))?.function.parameters.count == 0)
        #expect(try call(get("overloaded", "b", "a"))?.function.parameters.count == 2)
        #expect(try call(get("defaults", "must"))?.function.name.name == "defaults")
        #expect(try call(get("defaults", "must", "might"))?.function.name.name == "defaults")
        #expect(fault(get("defaults", "may"), in: builder)?.code == "PGRST202")
    }

    @Test("without a match by name the body goes to a single unnamed parameter of its type")
    func unnamed() throws {
        let json = Function.Parameter(name: "", type: "json")
        #expect(try call(post("taker", .json(keys: ["x"])))?.arguments == .body(json))
        #expect(try call(post("texter", .raw, .plainText))?.function.parameters.count == 1)
        #expect(try call(post("texter", .json(keys: [])))?.function.parameters.count == 0)
        #expect(try call(post("named_and_not", .json(keys: ["x"])))?.function.parameters[0].name == "x")
        #expect(try call(post("named_and_not", .json(keys: ["y"])))?.function.parameters[0].type == "jsonb")
        #expect(fault(get("taker", "x"), in: builder)?.code == "PGRST202")
    }

    @Test("no function: what was searched for, and the nearest one")
    func notFound() {
        let name = fault(get("sayhell"), in: builder)
        #expect(name?.code == "PGRST202")
        #expect(name?.kind == .notFound)
        #expect(name?.hint == "Perhaps you meant to call the function test.sayhello")
        #expect(
            name?.message == "Could not find the function test.sayhell without parameters in the schema cache"
        )
        #expect(
            name?.details
                == "Searched for the function test.sayhell without parameters, but no matches were found in the schema cache."
        )

        let one = fault(get("sayhello", "nam"), in: builder)
        #expect(one?.hint == "Perhaps you meant to call the function test.sayhello(name)")
        #expect(one?.message == "Could not find the function test.sayhello(nam) in the schema cache")
        #expect(
            one?.details
                == "Searched for the function test.sayhello with parameter nam, but no matches were found in the schema cache."
        )

        let many = fault(get("overloaded", "wrong_arg", "b", "a"), in: builder)
        #expect(many?.hint == "Perhaps you meant to call the function test.overloaded(a, b, c)")
        #expect(
            many?.details
                == "Searched for the function test.overloaded with parameters a, b, wrong_arg, but no matches were found in the schema cache."
        )
        #expect(fault(get("overloaded", "wrong_arg"), in: builder)?.hint == nil)
    }

    @Test("no function that could take the body")
    func bodyNotTaken() {
        let json = fault(post("add_them", .json(keys: ["y", "x"])), in: builder)
        #expect(
            json?.details
                == "Searched for the function test.add_them with parameters x, y or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache."
        )
        let text = fault(post("add_them", .raw, .octetStream), in: builder)
        #expect(text?.message == "Could not find the function test.add_them in the schema cache")
        #expect(
            text?.details
                == "Searched for the function test.add_them with a single unnamed bytea parameter, but no matches were found in the schema cache."
        )
        #expect(text?.hint == nil)
        #expect(fault(post("overloaded", .raw, .plainText), in: builder)?.code == "PGRST202")
    }

    @Test("several functions: all of them, fewest parameters first")
    func ambiguous() {
        let named = fault(get("same", "arg"), in: builder)
        #expect(named?.code == "PGRST203")
        #expect(named?.kind == .status(300))
        #expect(
            named?.message
                == "Could not choose the best candidate function between: test.same(arg => integer), test.same(arg => xml), test.same(arg => text, num => integer)"
        )
        #expect(
            named?.hint
                == "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
        )
        let unnamed = fault(post("both", .json(keys: ["x"])), in: builder)
        #expect(
            unnamed?.message
                == "Could not choose the best candidate function between: test.both( => json), test.both( => jsonb)"
        )
    }

    @Test("functions of hidden schemas are not suggested")
    func hiddenFunctions() {
        var catalog = builder.catalog
        let hidden = Name("private", "secret")
        catalog.functions[hidden] = catalog.functions[Name("test", "taker")]
        let planner = Planner(settings: PlannerSettings(schemas: ["test"]))
        #expect(
            throws: PlanFault.functionNotFound(
                .init(
                    name: Name("test", "secre"), arguments: [], unnamedParameter: nil, suggestion: nil))
        ) {
            _ = try planner.plan(get("secre"), in: catalog)
        }
    }
}
