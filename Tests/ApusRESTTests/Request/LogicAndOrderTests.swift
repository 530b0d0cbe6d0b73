import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct LogicTests {
    private func tree(_ parameter: String) throws -> Intent.Placed<LogicTree>? {
        try intent("GET", "items", parameter).logic.first
    }

    private func equals(_ name: String, _ value: String, isNegated: Bool = false) -> LogicTree {
        .filter(
            Filter(
                field: Field(name: name), isNegated: isNegated,
                operation: .quantified(.equal, nil, .literal(value))))
    }

    @Test func groups() throws {
        #expect(
            try tree("or=(a.eq.1,b.eq.2)")?.value
                == .group(isNegated: false, .or, [equals("a", "1"), equals("b", "2")]))
        #expect(try tree("not.and=(a.eq.1)")?.value == .group(isNegated: true, .and, [equals("a", "1")]))
        #expect(
            try tree("child.not.or=(a.eq.1)")
                == .init(path: ["child"], .group(isNegated: true, .or, [equals("a", "1")])))
        #expect(
            try tree("and=( or ( a.eq.1 , not.and(b.not.eq.2,c.eq.3)) , d.eq.4)")?.value
                == .group(
                    isNegated: false, .and,
                    [
                        .group(
                            isNegated: false, .or,
                            [
                                equals("a", "1 "),
                                .group(
                                    isNegated: true, .and,
                                    [equals("b", "2", isNegated: true), equals("c", "3")]),
                            ]),
                        equals("d", "4"),
                    ]))
        #expect(
            try tree("or=(and_x.eq.1,or_x.eq.2)")?.value
                == .group(isNegated: false, .or, [equals("and_x", "1"), equals("or_x", "2")]))
    }

    @Test func values() throws {
        let group = try tree(#"or=(a.eq."x,(\"y",a.eq.{1,2},a.eq."q"z,a.eq.)"#)?.value
        #expect(
            group
                == .group(
                    isNegated: false, .or,
                    [equals("a", #"x,("y"#), equals("a", "{1,2}"), equals("a", #""q"z"#), equals("a", "")]))
        let list = try tree(#"or=(a.in.(1,"2,)"),a.is.null)"#)?.value
        #expect(
            list
                == .group(
                    isNegated: false, .or,
                    [
                        .filter(Filter(field: Field(name: "a"), operation: .isIn(.literal(#"(1,"2,)")"#)))),
                        .filter(Filter(field: Field(name: "a"), operation: .is(.null))),
                    ]))
    }

    @Test func depth() {
        let settings = RESTSettings(limits: .init(depth: 2))
        #expect(fault("GET", "items", "or=(and(a.eq.1))", settings: settings) == nil)
        #expect(fault("GET", "items", "or=(and(or(a.eq.1)))", settings: settings)?.code == "APUS441")
        let deep = "or=(" + String(repeating: "and(", count: 100_000)
        #expect(fault("GET", "items", deep)?.code == "APUS441")
    }
}

@Suite struct OrderTests {
    private func order(_ text: String) throws -> [OrderTerm] {
        try intent("GET", "items", "order=" + text).order.first?.value ?? []
    }

    @Test func terms() throws {
        #expect(try order("a") == [.field(Field(name: "a"), nil, nil)])
        #expect(
            try order("a.desc.nullsfirst, b.nullslast") == [
                .field(Field(name: "a"), .descending, .first), .field(Field(name: "b"), nil, .last),
            ])
        #expect(
            try order("d->k.asc,rel(c->>1).desc,x") == [
                .field(Field(name: "d", path: [.init(.key("k"), asText: false)]), .ascending, nil),
                .related(
                    relation: "rel", Field(name: "c", path: [.init(.key("1"), asText: true)]), .descending,
                    nil),
                .field(Field(name: "x"), nil, nil),
            ])
    }

    @Test func placed() throws {
        let order = try intent("GET", "items", "order=a&x.y.order=b").order
        #expect(order.map(\.path) == [[], ["x", "y"]])
    }
}
