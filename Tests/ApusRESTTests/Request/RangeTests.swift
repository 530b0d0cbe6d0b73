import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct RangeTests {
    private func range(_ query: String, field: String? = nil) throws -> RowRange {
        try intent("GET", "items", query, fields: .init(range: field)).range
    }

    @Test func topLevel() throws {
        #expect(try range("") == .all)
        #expect(try range("limit=5") == RowRange(offset: 0, limit: 5))
        #expect(try range("offset=3") == RowRange(offset: 3))
        #expect(try range("offset=3&limit=5") == RowRange(offset: 3, limit: 5))
        #expect(try range("limit=0") == RowRange(offset: 0, limit: 0))
        #expect(try range("limit=x") == .all)
        #expect(try range("limit=1&limit=2") == RowRange(offset: 0, limit: 2))
        #expect(try range("offset=-4") == .all)
        #expect(try range("limit=99999999999999999999999").limit == 1 << 60)
    }

    @Test func field() throws {
        #expect(try range("", field: "0-9") == RowRange(offset: 0, limit: 10))
        #expect(try range("", field: "5-") == RowRange(offset: 5))
        #expect(fault("GET", "items", "limit=3", fields: .init(range: "5-"))?.code == "PGRST103")
        #expect(try range("limit=20", field: "5-9") == RowRange(offset: 5, limit: 5))
        #expect(try range("limit=0", field: "5-9") == RowRange(offset: 0, limit: 0))
        for ignored in ["bytes=0-1", "-5", "a-b", "", "1-2-3"] {
            #expect(try range("", field: ignored) == .all)
        }
        #expect(try intent("HEAD", "items", "", fields: .init(range: "0-1")).range == .all)
    }

    @Test func faults() {
        let lower = fault("GET", "items", "", fields: .init(range: "1-0"))
        #expect(lower?.code == "PGRST103")
        #expect(lower?.kind == .rangeNotSatisfiable)
        #expect(
            lower?.details
                == "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        )
        let negative = fault("GET", "items", "limit=-1")
        #expect(negative?.message == "Requested range not satisfiable")
        #expect(negative?.details == "Limit should be greater than or equal to zero.")
        #expect(fault("PUT", "items", "offset=1", body: "{}")?.code == "PGRST114")
        #expect(fault("PUT", "items", "limit=x", body: "{}") == nil)
    }

    @Test func embedded() throws {
        let ranges = try intent("GET", "items", "a.limit=2&b.c.offset=4&a.offset=1&d.limit=0").embeddedRanges
        #expect(
            ranges == [
                .init(path: ["a"], RowRange(offset: 1, limit: 2)),
                .init(path: ["b", "c"], RowRange(offset: 4)),
                .init(path: ["d"], RowRange(offset: 0, limit: 0)),
            ])
        #expect(
            fault("GET", "items", "!.offset=1")?.message
                == #""failed to parse tree path (!.limit)" (line 1, column 1)"#)
    }
}
