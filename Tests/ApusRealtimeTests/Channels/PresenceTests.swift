import Testing

@testable import ApusRealtime

@Suite("Who is present")
struct PresenceTests {
    private func entry(_ reference: String, _ key: String, _ payload: String = "{}") -> PresenceLedger.Entry {
        .init(reference: reference, key: key, payload: Array(payload.utf8))
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("A key that is present twice leaves when both are gone")
    func twice() {
        var ledger = PresenceLedger()
        let first = ledger.track(.member(1), entry("r1", "ann", #"{"on":"phone"}"#))
        let second = ledger.track(.remote(node: "n", member: 1), entry("r2", "ann"))
        #expect(first.joins.count == 1 && second.joins.count == 1)
        #expect(text(ledger.json) == #"{"ann":{"metas":[{"phx_ref":"r1","on":"phone"},{"phx_ref":"r2"}]}}"#)
        let gone = ledger.untrack(.member(1))
        #expect(gone.leaves == [entry("r1", "ann", #"{"on":"phone"}"#)])
        #expect(text(ledger.json) == #"{"ann":{"metas":[{"phx_ref":"r2"}]}}"#)
        let nobody = ledger.untrack(.member(1))
        #expect(nobody.isEmpty)
    }

    @Test("Tracking again is a leave of the old state and a join of the new one")
    func again() {
        var ledger = PresenceLedger()
        _ = ledger.track(.member(1), entry("r1", "k"))
        let difference = ledger.track(.member(1), entry("r2", "k", #"{ "x":1}"#))
        #expect(
            text(difference.json)
                == #"{"joins":{"k":{"metas":[{"phx_ref":"r2","x":1}]}},"leaves":{"k":{"metas":[{"phx_ref":"r1"}]}}}"#
        )
        let repeated = ledger.track(.member(1), entry("r2", "k", #"{ "x":1}"#))
        #expect(repeated.isEmpty, "told twice")
    }

    @Test("A node that is gone takes its members with it, and nobody else")
    func nodes() {
        var ledger = PresenceLedger()
        _ = ledger.track(.member(1), entry("r1", "a"))
        _ = ledger.track(.remote(node: "n", member: 1), entry("r2", "b"))
        _ = ledger.track(.remote(node: "n", member: 2), entry("r3", "b"))
        let leaves = ledger.forget(node: "n").leaves
        #expect(leaves.count == 2)
        #expect(ledger.count == 1 && ledger.own.map(\.member) == [1])
    }
}
