import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct PreferenceTests {
    private func read(_ lines: String..., allowsTransaction: Bool = true) -> Preferences {
        Preferences(reading: lines, allowsTransaction: allowsTransaction)
    }

    @Test func all() {
        #expect(
            read("return=representation, count=exact,   tx=commit  ,missing=default, handling=strict, any")
                == Preferences(
                    representation: .full, count: .exact, transaction: .commit, missing: .default,
                    handling: .strict, unknown: ["any"]))
        #expect(
            read("resolution=ignore-duplicates, timezone=America/Los_Angeles, max-affected=100")
                == Preferences(
                    resolution: .ignoreDuplicates, timezone: "America/Los_Angeles", maxAffected: 100))
        #expect(read() == Preferences())
    }

    @Test func linesCombineAndTheFirstCounts() {
        #expect(read("count=exact", "count=planned, x").count == .exact)
        #expect(read("a", "b,,").unknown == ["a", "b"])
        #expect(
            read("return=much, return=minimal")
                == Preferences(representation: .minimal, unknown: ["return=much"]))
    }

    @Test func transactionOnlyWhereAllowed() {
        #expect(read("tx=rollback", allowsTransaction: false) == Preferences())
        #expect(read("tx=rollback").transaction == .rollback)
        #expect(read("tx=maybe", allowsTransaction: false).unknown == ["tx=maybe"])
    }

    @Test func maxAffectedThatIsNoNumberIsNone() {
        #expect(read("max-affected=x") == Preferences())
    }
}

@Suite struct MediaTypeReadingTests {
    @Test(arguments: [
        ("application/json", MediaType.json), ("application/json; charset=utf-8", .json),
        ("ApplicatIon/vnd.PgRsT.object+json", .singleObject(stripsNulls: false)),
        ("application/vnd.pgrst.object;nulls=stripped", .singleObject(stripsNulls: true)),
        ("application/vnd.pgrst.array+json;nulls=stripped", .arrayWithoutNulls),
        ("application/vnd.pgrst.array+json", .json), ("application/vnd.twkb", .other("application/vnd.twkb")),
        ("application/vnd.pgrst.plan;", .plan(of: .json, format: .text, options: [])),
        (
            #"application/vnd.pgrst.plan ; for="text/xml" ; options=analyze"#,
            .plan(of: .xml, format: .text, options: [.analyze])
        ),
        (
            #"application/vnd.pgrst.plan+json;for="application/vnd.pgrst.object";options=wal|verbose|x"#,
            .plan(of: .singleObject(stripsNulls: false), format: .json, options: [.verbose, .wal])
        ),
        ("*/*", .any), ("what", .other("what")),
    ])
    func one(text: String, expected: MediaType) {
        #expect(MediaType(reading: text) == expected)
    }

    @Test func accept() {
        #expect(MediaType.acceptable([]) == [.any])
        #expect(MediaType.acceptable([" "]) == [.any])
        #expect(MediaType.acceptable(["text/csv, application/json"]) == [.csv, .json])
        #expect(MediaType.acceptable(["text/csv;q=0.5", "application/json"]) == [.json, .csv])
        #expect(MediaType.acceptable(["*/*, text/csv"]) == [.csv, .any])
        #expect(MediaType.acceptable(["text/csv;q=0, text/xml;q=x"]) == [.xml])
        #expect(
            MediaType.acceptable([#"application/vnd.pgrst.plan+text; for="text/csv"; options=analyze; q=0.9"#]
            )
                == [.plan(of: .csv, format: .text, options: [.analyze])])
    }
}

@Suite struct SchemaTests {
    private let settings = RESTSettings(schemas: ["v1", "v2"])

    @Test func choice() throws {
        #expect(try intent(settings: settings).target.schema == "v1")
        #expect(try intent(settings: settings).schemaWasNegotiated)
        #expect(try !intent().schemaWasNegotiated)
        #expect(try intent(fields: .init(acceptProfile: "v2"), settings: settings).target.schema == "v2")
        let written = try intent(
            "POST", fields: .init(acceptProfile: "no", contentProfile: "v2"), body: "{}", settings: settings)
        #expect(written.target.schema == "v2")
    }

    @Test func unknown() {
        let fault = fault(fields: .init(acceptProfile: "x"), settings: settings)
        #expect(fault?.code == "PGRST106")
        #expect(fault?.kind == .notAcceptable)
        #expect(fault?.message == "Invalid schema: x")
        #expect(fault?.hint == "Only the following schemas are exposed: v1, v2")
    }

    @Test func fieldsAreFoundInAnyCase() {
        let fields = RESTRequest.Fields([
            (name: "Accept", value: "a"), (name: "PREFER", value: "p"), (name: "accept", value: "b"),
            (name: "prefer", value: "q"), (name: "Content-Type", value: "c"),
            (name: "content-type", value: "d"), (name: "Accept-Profile", value: "e"),
            (name: "Content-Profile", value: "f"), (name: "RANGE", value: "0-1"), (name: "Host", value: "h"),
        ])
        #expect(
            fields
                == .init(
                    acceptProfile: "e", contentProfile: "f", prefer: ["p", "q"], accept: ["a", "b"],
                    contentType: "c", range: "0-1"))
    }
}
