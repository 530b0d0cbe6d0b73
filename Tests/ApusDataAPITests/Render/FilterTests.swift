import ApusPlanner
import Testing

@testable import ApusDataAPI

@Suite struct FilterTests {
    private static let value = Operand.slot(index: 0, dropping: 0)

    /// What stands after `WHERE` for one condition on `test.t`.
    private func condition(_ condition: PlannedCondition) -> String {
        let text = rows(ReadPlan.of("t").filtered(condition))
        return text.replacing(#"SELECT "test"."t".* FROM "test"."t" WHERE "#, with: "")
    }

    @Test(arguments: [
        (Operation.quantified(.equal, nil, value), #""test"."t"."c" = $1"#),
        (.quantified(.greaterThanOrEqual, .any, value), #""test"."t"."c" >= ANY($1)"#),
        (.quantified(.like, .all, value), #""test"."t"."c" like ALL($1)"#),
        (.quantified(.imatch, nil, value), #""test"."t"."c" ~* $1"#),
        (.compare(.contains, value), #""test"."t"."c" @> $1"#),
        (.compare(.adjacent, value), #""test"."t"."c" -|- $1"#),
        (.isIn(value), #""test"."t"."c" = ANY ($1)"#),
        (.is(.notNull), #""test"."t"."c" IS NOT NULL"#),
        (.is(.unknown), #""test"."t"."c" IS UNKNOWN"#),
        (.isDistinctFrom(value), #""test"."t"."c" IS DISTINCT FROM $1"#),
        (.fullText(.websearch, language: nil, value), #""test"."t"."c" @@ websearch_to_tsquery($1)"#),
        (
            .fullText(.plainTSQuery, language: "german", value),
            #""test"."t"."c" @@ to_tsquery('german', $1)"#
        ),
    ])
    func operation(_ operation: Operation, _ expected: String) {
        #expect(condition(.filter("c", operation)) == expected)
        #expect(condition(.filter("c", operation, isNegated: true)) == "NOT " + expected)
    }

    @Test func groupsNestInBrackets() {
        let tree = PlannedCondition.group(
            isNegated: true, .or,
            [
                .equals("a"),
                .group(isNegated: false, .and, [.equals("b", slot: 1), .filter("c", .is(.null))]),
            ])
        #expect(
            condition(tree)
                == #"NOT ("test"."t"."a" = $1 OR ("test"."t"."b" = $2 AND "test"."t"."c" IS NULL))"#)
    }

    @Test func jsonPathsAreLiterals() {
        let path: [JSONStep] = [
            .init(.key("it's"), asText: false), .init(.index("-1"), asText: false),
            .init(.key("k"), asText: true),
        ]
        let field = PlannedField(name: "c", path: path, needsJSON: true)
        #expect(
            condition(.filter(field, .quantified(.equal, nil, Self.value)))
                == #"to_jsonb("test"."t"."c")->'it''s'->'-1'::int->>'k' = $1"#)
    }

    @Test func textSearchConverts() {
        let field = PlannedField(name: "c", textSearch: .init(language: "french"))
        #expect(
            condition(.filter(field, .fullText(.plainTSQuery, language: "french", Self.value)))
                == #"to_tsvector('french', "test"."t"."c") @@ to_tsquery('french', $1)"#)
    }

    @Test func representationsReadValues() {
        let field = PlannedField(name: "c", transform: #""test"."color""#)
        #expect(
            condition(.filter(field, .quantified(.equal, nil, Self.value)))
                == #""test"."t"."c" = "test"."color"($1)"#)
        #expect(
            condition(.filter(field, .isIn(Self.value)))
                == #""test"."t"."c" = ANY ((SELECT "test"."color"(unnest($1::text[]))))"#)
        #expect(
            condition(.filter(field, .quantified(.ilike, nil, Self.value))) == #""test"."t"."c" ilike $1"#)
    }

    /// A cast is the only word of a client's that becomes text; one that is no plain name gets quotes.
    @Test(arguments: [
        ("double precision", #"CAST("test"."t"."c" AS double precision)"#),
        ("int) from secrets --", #"CAST("test"."t"."c" AS "int) from secrets --")"#),
        ("$1", #"CAST("test"."t"."c" AS "$1")"#),
    ])
    func casts(_ type: String, _ expected: String) {
        let text = rows(.of("t", [.column("c", cast: type)]))
        #expect(text == #"SELECT \#(expected) FROM "test"."t""#)
    }
}
