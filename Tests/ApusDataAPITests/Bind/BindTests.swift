import ApusPlanner
import ApusSQL
import Testing

@testable import ApusDataAPI

@Suite struct BindTests {
    private func values(_ strings: String...) -> RequestValues {
        var values = RequestValues()
        for string in strings { values.append(string.utf8) }
        return values
    }

    private func bind(
        _ source: BindSource, _ values: RequestValues = RequestValues(), body: String = ""
    ) throws -> (text: String, oid: UInt32, isBinary: Bool) {
        let template = StatementTemplate(text: StatementText("select $1"), sources: [source])
        let binds = try template.bind(values: values, body: Array(body.utf8))
        let entry = try #require(binds.entries.first)
        let bytes = binds.storage[entry.offset..<(entry.offset + entry.length)]
        return (String(decoding: bytes, as: UTF8.self), entry.oid, entry.isBinary)
    }

    @Test func slotsLeaveTheOperatorOut() throws {
        let bound = try bind(.operand(.slot(index: 1, dropping: 3), .plain), values("x", "eq.a*b"))
        #expect(bound.text == "a*b")
        #expect(bound.oid == 0)
        #expect(!bound.isBinary)
    }

    @Test func patterns() throws {
        let bound = try bind(.operand(.slot(index: 0, dropping: 5), .pattern), values("like.*a%_*"))
        #expect(bound.text == "%a%_%")
    }

    @Test func lists() throws {
        #expect(
            try bind(.operand(.slot(index: 0, dropping: 3), .list), values("in.(1,2)")).text == #"{"1","2"}"#)
        #expect(try bind(.operand(.literal("(1,2)"), .list)).text == #"{"1","2"}"#)
    }

    @Test func variadicArguments() throws {
        let source = BindSource.array([.slot(index: 0, dropping: 0), .slot(index: 1, dropping: 0)])
        #expect(try bind(source, values("a", #"b","#)).text == #"{"a","b\","}"#)
    }

    @Test(arguments: [
        (#"{"a":1}"#, #"[{"a":1}]"#), (" \n{}", "[ \n{}]"), (#"[{"a":1}]"#, #"[{"a":1}]"#), ("", ""),
        ("5", "5"),
    ])
    func rowsOfABody(_ body: String, _ expected: String) throws {
        let json = try bind(.body(.jsonRows), body: body)
        #expect(json.text == expected)
        #expect(json.oid == TypeOID.json)
        let jsonb = try bind(.body(.jsonbRows), body: body)
        #expect(jsonb.text == "\u{1}" + expected)
        #expect(jsonb.oid == TypeOID.jsonb)
    }

    @Test func bodiesAsTheyAre() throws {
        let text = try bind(.body(.text), body: "<a/>")
        #expect(text.text == "<a/>" && !text.isBinary)
        let raw = try bind(.body(.raw(oid: TypeOID.bytea)), body: "{x")
        #expect(raw.text == "{x" && raw.isBinary && raw.oid == TypeOID.bytea)
    }

    /// A plan that outlives its catalog's request must not read another request's memory.
    @Test func anUnknownSlotIsEmpty() throws {
        #expect(try bind(.operand(.slot(index: 7, dropping: 3), .plain), values("a")).text.isEmpty)
    }
}
