import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct FilterTests {
    /// Filter and the value of its operand.
    private func filter(_ text: String) throws -> (filter: Filter, value: String?) {
        let read = try RequestReader(settings: .init()).read(makeRequest("GET", "items", "c=" + text))
        guard case .data(let intent) = read.ask, let filter = intent.filters.first?.value else {
            throw NoIntent(ask: read.ask)
        }
        guard case .slot(let index, let dropping)? = filter.operation.operand else { return (filter, nil) }
        return (filter, String(decoding: read.shape.values[index].dropFirst(dropping), as: UTF8.self))
    }

    @Test(arguments: Operation.Comparison.allCases)
    func comparison(_ comparison: Operation.Comparison) throws {
        let (filter, value) = try filter("\(comparison.rawValue).x.y%2Cz")
        #expect(
            filter.operation == .compare(comparison, .slot(index: 0, dropping: comparison.rawValue.count + 1))
        )
        #expect(value == "x.y,z")
    }

    @Test(arguments: Operation.QuantifiableComparison.allCases)
    func quantifiable(_ comparison: Operation.QuantifiableComparison) throws {
        let name = comparison.rawValue
        #expect(
            try filter("\(name).1").filter.operation
                == .quantified(comparison, nil, .slot(index: 0, dropping: name.count + 1)))
        #expect(
            try filter("not.\(name)(any).{1}").filter
                == Filter(
                    field: Field(name: "c"), isNegated: true,
                    operation: .quantified(comparison, .any, .slot(index: 0, dropping: name.count + 10))))
        #expect(try filter("\(name)(all).{1,2}").value == "{1,2}")
    }

    @Test(arguments: Operation.FullTextSearch.allCases)
    func fullText(_ search: Operation.FullTextSearch) throws {
        #expect(try filter("\(search.rawValue).a%26b").value == "a&b")
        guard
            case .fullText(search, let language, _) = try filter("\(search.rawValue)(english).a").filter
                .operation
        else {
            Issue.record("no full text search")
            return
        }
        #expect(language == "english")
    }

    @Test func others() throws {
        #expect(try filter("eq.").value == "")
        #expect(try filter("eq.a+b%2Bc").value == "a b+c")
        #expect(try filter("isdistinct.4").filter.operation == .isDistinctFrom(.slot(index: 0, dropping: 11)))
        for value in Operation.IsValue.allCases {
            #expect(try filter("is." + value.rawValue).filter.operation == .is(value))
            #expect(try filter("is." + value.rawValue.uppercased()).filter.operation == .is(value))
        }
        #expect(try filter("in.(1,2)").value == "(1,2)")
        #expect(try filter(#"not.in.("a,b)",c)"#).value == #"("a,b)",c)"#)
        #expect(try filter("in.()").value == "()")
    }

    @Test(arguments: [
        "in.1,2", "in.(1,2", #"in.("a"#, "in.", "eq", "eq(some).1", "is.x", "like(any)", "=1", "EQ.1",
    ])
    func refused(_ text: String) {
        #expect(fault("GET", "items", "c=" + text)?.code == "PGRST100")
    }

    @Test func names() throws {
        let filters = try intent("GET", "items", "a.b.c=eq.1&%22x.y%22->z=eq.2&d->>0=is.null").filters
        #expect(filters.map(\.path) == [["a", "b"], [], []])
        #expect(
            filters.map(\.value.field) == [
                Field(name: "c"), Field(name: "x.y", path: [.init(.key("z"), asText: false)]),
                Field(name: "d", path: [.init(.index("0"), asText: true)]),
            ])
    }

    @Test func parametersWithoutValueAndEmptyOnesAreIgnored() throws {
        #expect(try intent("GET", "items", "a&&b;c=eq.1").filters.count == 1)
    }

    /// A parameter of a call is an argument, and a filter when it reads as one.
    @Test func calls() throws {
        let call = try intent("GET", "rpc/f", "a=1&b=eq.2&c=not.good&d=is.great&x.y=in.(1&e=is.null")
        #expect(call.action == .call(isReadOnly: true))
        #expect(call.arguments.map(\.name) == ["a", "b", "c", "d", "y", "e"])
        #expect(call.arguments.map(\.value) == (0..<6).map { .slot(index: $0, dropping: 0) })
        #expect(call.filters.map(\.value.field.name) == ["b", "e"])
    }
}

extension Operation {
    var operand: Operand? {
        switch self {
        case .compare(_, let operand), .quantified(_, _, let operand), .isIn(let operand),
            .isDistinctFrom(let operand), .fullText(_, _, let operand):
            operand
        case .is: nil
        }
    }
}
