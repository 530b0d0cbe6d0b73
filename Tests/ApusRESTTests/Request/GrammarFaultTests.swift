import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

/// The exact words of parse errors, which clients of the dialect see.
@Suite struct GrammarFaultTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var column: Int
        var details: String

        init(_ text: String, _ column: Int, _ details: String) {
            (self.text, self.column, self.details) = (text, column, details)
        }

        var testDescription: String { text }
    }

    private func check<Result>(
        _ example: Case,
        _ rule: (inout GrammarParser) throws(GrammarParser.Mismatch) -> Result
    ) {
        var parser = GrammarParser(example.text.utf8, limits: .init())
        #expect((try? rule(&parser)) == nil)
        #expect(parser.failure.position + 1 == example.column)
        #expect(parser.failure.details == example.details)
    }

    @Test(arguments: [
        Case(
            "id,clients(name[])", 16,
            #"unexpected '[' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input"#),
        Case("data->>-78xy", 11, #"unexpected 'x' expecting digit, "->", "::", ".", "," or end of input"#),
        Case("data->>--34", 9, #"unexpected "-" expecting digit"#),
        Case(
            "name!hint", 5,
            #"unexpected '!' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input"#),
        Case("*!hint", 2, #"unexpected '!' expecting ")", "," or end of input"#),
        Case("name::", 7, "unexpected end of input expecting letter or digit"),
        Case(
            "data->(!@#$%^&*_d->>!@#$%^&*_e::integer", 7,
            #"unexpected "(" expecting "-", digit or any non reserved character different from: .,>()"#),
    ])
    func select(_ example: Case) {
        check(example) { parser throws(GrammarParser.Mismatch) in
            _ = try parser.selectItems()
            try parser.end()
        }
    }

    @Test(arguments: [
        Case(
            "clients(name,id)", 8,
            #"unexpected '(' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input"#),
        Case("id.ac", 4, #"unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast""#),
        Case("id.descc", 8, #"unexpected 'c' expecting delimiter (.), "," or end of input"#),
        Case("id.nulsfist", 4, #"unexpected "n" expecting "asc", "desc", "nullsfirst" or "nullslast""#),
        Case("id.nullslasttt", 13, #"unexpected 't' expecting "," or end of input"#),
        Case("id.smth34", 4, #"unexpected "s" expecting "asc", "desc", "nullsfirst" or "nullslast""#),
        Case("id.asc.nlsfst", 8, #"unexpected "l" expecting "nullsfirst" or "nullslast""#),
        Case("id.asc.nullslasttt", 17, #"unexpected 't' expecting "," or end of input"#),
    ])
    func order(_ example: Case) {
        check(example) { parser throws(GrammarParser.Mismatch) in try parser.orderTerms() }
    }

    @Test(arguments: [
        Case("noop.0", 1, #"unexpected "o" expecting "not" or operator (eq, gt, ...)"#),
        Case("val", 1, #"unexpected "v" expecting "not" or operator (eq, gt, ...)"#),
        Case("0", 1, #"unexpected "0" expecting "not" or operator (eq, gt, ...)"#),
        Case("fts().value", 5, #"unexpected ")" expecting operator (eq, gt, ...)"#),
        Case("eq().value", 4, #"unexpected ")" expecting operator (eq, gt, ...)"#),
        Case("is().value", 3, #"unexpected "(" expecting operator (eq, gt, ...)"#),
        Case("in().value", 3, #"unexpected "(" expecting operator (eq, gt, ...)"#),
        Case("is.nope", 6, #"unexpected "p" expecting isVal: (null, not_null, true, false, unknown)"#),
    ])
    func filter(_ example: Case) {
        check(example) { parser throws(GrammarParser.Mismatch) in
            try parser.operation(operand: .rest(slot: 0))
        }
    }

    @Test(arguments: [
        Case(
            "or()", 4,
            "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) "
                + "or logic operator (and, or)"),
        Case("or(id.in.1,2,id.eq.3)", 10, #"unexpected "1" expecting "(""#),
        Case("or)(", 3, #"unexpected ")" expecting "(""#),
        Case("and(ord(id.eq.1,id.eq.1),id.eq.2)", 7, #"unexpected "d" expecting "(""#),
        Case(
            "or(id.eq.1,not.xor(id.eq.2,id.eq.3))", 16, #"unexpected "x" expecting logic operator (and, or)"#),
    ])
    func logic(_ example: Case) {
        check(example) { parser throws(GrammarParser.Mismatch) in try parser.logicTree() }
    }

    @Test func name() {
        check(Case(":", 1, #"unexpected ":" expecting field name (* or [a..z0..9_$])"#)) {
            parser throws(GrammarParser.Mismatch) in try parser.fieldName()
        }
        check(Case("", 1, "unexpected end of input expecting field name (* or [a..z0..9_$])")) {
            parser throws(GrammarParser.Mismatch) in try parser.columns()
        }
    }

    @Test func charactersAreShownAsUpstreamShowsThem() {
        #expect(ShownCharacter.asString("é") == #""\233""#)
        #expect(ShownCharacter.asString("\"") == #""\"""#)
        #expect(ShownCharacter.asString("\u{1}") == #""\SOH""#)
        #expect(ShownCharacter.asCharacter("'") == #"'\''"#)
        #expect(ShownCharacter.asCharacter("\\") == #"'\\'"#)
    }

    /// Message, line and column around the details.
    @Test(arguments: [
        ("order=id.asc.nullslasttt", #""failed to parse order (id.asc.nullslasttt)" (line 1, column 17)"#),
        ("id=0", #""failed to parse filter (0)" (line 1, column 1)"#),
        ("or=()", #""failed to parse logic tree (())" (line 1, column 4)"#),
        ("columns=", #""failed to parse columns parameter ()" (line 1, column 1)"#),
        ("on_conflict=!", #""failed to parse on_conflict parameter (!)" (line 1, column 1)"#),
        (":=eq.1", #""failed to parse tree path (:)" (line 1, column 1)"#),
        ("!.or=(a.eq.1)", #""failed to parse logic path (!.or)" (line 1, column 1)"#),
        ("select=a,b!", #""failed to parse select parameter (a,b!)" (line 1, column 4)"#),
        ("id=%0A%09x", "\"failed to parse filter (\n\tx)\" (line 1, column 1)"),
        ("select=a%0A", "\"failed to parse select parameter (a\n)\" (line 1, column 2)"),
    ])
    func message(query: String, expected: String) {
        let fault = fault("GET", "items", query)
        #expect(fault?.code == "PGRST100")
        #expect(fault?.kind == .invalid)
        #expect(fault?.message == expected)
    }

    /// Of several errors the one is told that the dialect tells first.
    @Test func orderOfFaults() {
        let query = "id=0&on_conflict=!&select=!&columns=!&or=!&order=!"
        #expect(fault("GET", "items", query)?.message.contains("order") == true)
        #expect(fault("GET", "items", "id=0&select=!&or=!")?.message.contains("logic tree") == true)
        #expect(fault("GET", "items", "id=0&select=!")?.message.contains("select") == true)
        #expect(fault("GET", "items", "limit=-1&id=0")?.code == "PGRST100")
    }
}
