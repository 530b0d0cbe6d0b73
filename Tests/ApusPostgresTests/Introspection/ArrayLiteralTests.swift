import Testing

@testable import ApusPostgres

@Suite struct ArrayLiteralTests {
    @Test(arguments: [
        ("{}", []), ("{a}", ["a"]), ("{1,2,3}", ["1", "2", "3"]), (#"{"a b",c}"#, ["a b", "c"]),
        (#"{"a,b","c}d"}"#, ["a,b", "c}d"]),
        (#"{"say \"hi\"","back\\slash"}"#, [#"say "hi""#, #"back\slash"#]),
        (#"{""}"#, [""]), (#"{NULL,a}"#, ["a"]), (#"{"NULL"}"#, ["NULL"]), ("", []), ("nonsense", []),
    ])
    func decodes(text: String, elements: [String]) {
        #expect(ArrayLiteral.decode(text) == elements)
    }

    @Test(arguments: [
        [], ["a"], ["a", "b c"], [#"quo"te"#, #"back\slash"#], ["{", "}", ","], ["", "NULL"], ["ä 漢 🐦"],
    ])
    func readsWhatItWrites(elements: [String]) {
        #expect(ArrayLiteral.decode(ArrayLiteral.encode(elements)) == elements)
    }

    @Test func dropsWhatTextCannotHold() {
        #expect(ArrayLiteral.encode(["a\0b"]) == #"{"ab"}"#)
    }
}
