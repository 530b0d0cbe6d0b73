import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct SelectTests {
    private typealias Embedded = SelectItem.EmbeddedRelation

    private func select(_ text: String) throws -> [SelectItem] {
        try intent("GET", "items", "select=" + text).select
    }

    private func column(
        _ name: String, path: [JSONStep] = [], aggregate: AggregateFunction? = nil,
        aggregateCast: String? = nil, cast: String? = nil, alias: String? = nil
    ) -> SelectItem {
        .field(
            .init(
                field: Field(name: name, path: path), aggregate: aggregate, aggregateCast: aggregateCast,
                cast: cast, alias: alias))
    }

    @Test func fields() throws {
        #expect(try select("id, name") == [column("id"), column("name")])
        #expect(try select("*") == [column("*")])
        #expect(try select("") == [])
        #expect(try intent("GET", "items", "").select == [column("*")])
        #expect(
            try select("with spaces,with-dashes,$a_1") == [
                column("with spaces"), column("with-dashes"), column("$a_1"),
            ])
        #expect(try select(#""a,b(\"\\)",  "%20x%20""#) == [column(#"a,b("\)"#), column(" x ")])
        #expect(try select("%D1%84%D1%83%D0%BD,été") == [column("фун"), column("été")])
        #expect(try select("a:b") == [column("b", alias: "a")])
        #expect(try select("b::text") == [column("b", cast: "text")])
        #expect(try select("a:b::text") == [column("b", cast: "text", alias: "a")])
    }

    @Test func aggregates() throws {
        #expect(try select("count()") == [column("*", aggregate: .count)])
        #expect(
            try select("n:count()::text") == [
                column("*", aggregate: .count, aggregateCast: "text", alias: "n")
            ])
        #expect(
            try select("a.sum(),b.max()::int,c::int.min()::text,d.avg(),e.count()") == [
                column("a", aggregate: .sum), column("b", aggregate: .max, aggregateCast: "int"),
                column("c", aggregate: .min, aggregateCast: "text", cast: "int"),
                column("d", aggregate: .avg),
                column("e", aggregate: .count),
            ])
    }

    @Test func jsonPaths() throws {
        #expect(
            try select("d->a->>b") == [
                column("d", path: [.init(.key("a"), asText: false), .init(.key("b"), asText: true)])
            ])
        #expect(
            try select("d->1->>-2::int") == [
                column(
                    "d", path: [.init(.index("1"), asText: false), .init(.index("-2"), asText: true)],
                    cast: "int")
            ])
        #expect(
            try select(#"d->!@#$%25^&*_a->"x.y""#.replacingAmpersand()) == [
                column(
                    "d", path: [.init(.key("!@#$%^&*_a"), asText: false), .init(.key("x.y"), asText: false)])
            ])
        #expect(try select("d->a-b") == [column("d", path: [.init(.key("a-b"), asText: false)])])
    }

    @Test func relations() throws {
        #expect(
            try select("id,client(*,nested(x))") == [
                column("id"),
                .relation(
                    Embedded(
                        name: "client",
                        select: [column("*"), .relation(Embedded(name: "nested", select: [column("x")]))])),
            ])
        #expect(
            try select("a:rel!hint!inner(id),rel!left(),rel!left!hint()") == [
                .relation(
                    Embedded(name: "rel", alias: "a", hint: "hint", join: .inner, select: [column("id")])),
                .relation(Embedded(name: "rel", join: .left)),
                .relation(Embedded(name: "rel", hint: "hint", join: .left)),
            ])
        #expect(
            try select("...rel!inner(a),x( b , c )") == [
                .relation(Embedded(name: "rel", join: .inner, isSpread: true, select: [column("a")])),
                .relation(Embedded(name: "x", select: [column("b"), column("c")])),
            ])
        #expect(fault("GET", "items", "select=count(id)")?.code == "PGRST100")
        #expect(
            fault("GET", "items", "select=*!x")?.details
                == #"unexpected '!' expecting ")", "," or end of input"#)
    }

    @Test func limits() {
        let settings = RESTSettings(limits: .init(depth: 3, items: 5))
        func code(_ select: String) -> String? {
            fault("GET", "items", "select=" + select, settings: settings)?.code
        }
        #expect(code("a(b(c(d)))") == nil)
        #expect(code("a(b(c(d(e))))") == "APUS441")
        #expect(code("a,b,c,d,e") == nil)
        #expect(code("a,b,c,d,e,f") == "APUS442")
        let deep = String(repeating: "a(", count: 100_000)
        #expect(code(deep) == "APUS441")
    }
}

extension String {
    /// Percent-encodes `&`, which would end the parameter.
    fileprivate func replacingAmpersand() -> String {
        split(separator: "&", omittingEmptySubsequences: false).joined(separator: "%26")
    }
}
