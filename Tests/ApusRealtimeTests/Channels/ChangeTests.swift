import ApusPostgres
import Testing

@testable import ApusRealtime

@Suite("Filters and rows of postgres_changes")
struct ChangeTests {
    private typealias Condition = ChangeFilter.Condition

    @Test("The grammar: operators, negation, lists, several conditions")
    func grammar() throws {
        #expect(
            try ChangeFilter("id=eq.1").conditions
                == [Condition(column: "id", isNegated: false, operator: .eq, values: ["1"])])
        #expect(
            try ChangeFilter(#"status=not.in.(open, "a,b" ,c),n=gt.5"#).conditions
                == [
                    Condition(
                        column: "status", isNegated: true, operator: .in, values: ["open", "a,b", "c"]),
                    Condition(column: "n", isNegated: false, operator: .gt, values: ["5"]),
                ])
        #expect(
            try ChangeFilter("body=eq.a,b.c=d").conditions
                == [Condition(column: "body", isNegated: false, operator: .eq, values: ["a,b.c=d"])],
            "a comma that starts no condition belongs to the value")
        #expect(try ChangeFilter("x=is.null").conditions[0].values == ["null"])
        #expect(try ChangeFilter("t=eq.").conditions[0].values == [""])
        for text in ["", "id", "id=1", "id=foo.1", "=eq.1", "x=is.maybe", "x=in.1,2", #"x=in.("a)"#] {
            #expect(throws: ChannelFault.self, "\(text)") { try ChangeFilter(text) }
        }
    }

    @Test("A row as to_jsonb shows it")
    func rows() {
        let columns: [(String, String)] = [
            ("id", "int8"), ("ok", "bool"), ("n", "numeric"), ("nan", "float8"), ("doc", "jsonb"),
            ("t", "timestamptz"),
            ("tags", "_text"), ("m", "_int4"), ("big", "text"), ("name", "text"), ("d", "timestamp"),
        ]
        let relation = FeedRelation(
            oid: 1, schema: "public", name: "t",
            columns: columns.map { .init(name: $0.0, typeOID: 0, typeName: $0.1, isKey: false) },
            replicaIdentity: .default)
        func text(_ value: String) -> FeedValue { .text(Array(value.utf8)[...]) }
        let row: [FeedValue] = [
            text("9007199254740993"), text("t"), text("1.50"), text("NaN"), text(#"{"a": [1]}"#),
            text("2026-01-02 03:04:05.6+00"), text(#"{a,"b \"c\"",NULL}"#), text("{{1,2},{3,4}}"),
            .unchangedToast, .null,
            text("2026-01-02 03:04:05"),
        ]
        let json = RowJSON.object(row, relation, columns: Array(columns.indices))
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"id":9007199254740993,"ok":true,"n":1.50,"nan":"NaN","doc":{"a": [1]},"t":"2026-01-02T03:04:05.6+00:00","tags":["a","b \"c\"",null],"m":[[1,2],[3,4]],"name":null,"d":"2026-01-02T03:04:05"}"#
        )
        #expect(String(decoding: RowJSON.object(row, relation, columns: [8]), as: UTF8.self) == "{}")
    }

    @Test("Commit times")
    func times() {
        #expect(CommitTime.text(0) == "1970-01-01T00:00:00.000Z")
        #expect(CommitTime.text(1_709_164_799_999_999) == "2024-02-28T23:59:59.999Z")
        #expect(CommitTime.text(1_709_251_199_000_000) == "2024-02-29T23:59:59.000Z")
        #expect(CommitTime.text(-1) == "1969-12-31T23:59:59.999Z")
    }

    @Test("Windows admit so many, and again when they are over")
    func rates() {
        var window = RateWindow()
        let admitted = (0..<5).map { window.admit(now: Int64($0), length: 10, limit: 3) }
        #expect(admitted == [true, true, true, false, false])
        let isAdmittedLater = window.admit(now: 10, length: 10, limit: 3)
        #expect(isAdmittedLater)
        let unlimited = (0..<1_000).map { _ in window.admit(now: 11, length: 10, limit: 0) }
        #expect(unlimited.allSatisfy { $0 })
    }
}
