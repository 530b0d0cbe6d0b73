import ApusFaults
import Testing

@testable import ApusDataAPI

@Suite struct ListLiteralTests {
    @Test(arguments: [
        ("(1,2)", #"{"1","2"}"#),
        ("( a ,b)", #"{"a ","b"}"#),
        (#"("a,b","c\"d","e\\f")"#, #"{"a,b","c\"d","e\\f"}"#),
        (#"(a"b,"c"d)"#, #"{"a\"b","\"c\"d"}"#),
        ("()", "{}"),
        (#"("")"#, "{}"),
        ("(,)", #"{"",""}"#),
        ("(null)", #"{"null"}"#),
        ("(1)2", #"{"1"}"#),
        ("(å,日本)", #"{"å","日本"}"#),
    ])
    func list(_ written: String, _ expected: String) throws {
        let bytes = try ListLiteral.array(from: Array(written.utf8)[...], startingAt: 0)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("in.1,2", 3, 4, #"unexpected "1" expecting "(""#),
        ("in.(1,2", 3, 8, #"unexpected end of input expecting "," or ")""#),
        ("in.", 3, 4, #"unexpected end of input expecting "(""#),
        (#"not.in.("a"#, 7, 11, #"unexpected end of input expecting "," or ")""#),
        ("in.é", 3, 4, #"unexpected "\233" expecting "(""#),
    ])
    func fault(_ value: String, _ start: Int, _ column: Int, _ details: String) {
        #expect(
            throws: Fault(
                code: "PGRST100", kind: .invalid,
                message: "\"failed to parse filter (\(value))\" (line 1, column \(column))",
                details: details)
        ) {
            try ListLiteral.array(from: Array(value.utf8)[...], startingAt: start)
        }
    }

    @Test func arraysAreReadBack() {
        let printed = #"{id=eq.1,"name=eq.a \"b\", c","e=eq.",NULL,"NULL"}"#
        #expect(
            ArrayLiteral.elements(of: printed.utf8)
                == ["id=eq.1", #"name=eq.a "b", c"#, "e=eq.", "NULL"])
        #expect(ArrayLiteral.elements(of: "{}".utf8).isEmpty)
    }
}
