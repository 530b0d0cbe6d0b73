import Testing

@testable import ApusEdge

/// How many WebSockets an address may open in a second.
@Suite struct RealtimeAdmissionTests {
    private static let second: Int64 = 1_000_000_000
    private let admission = RealtimeAdmission(RealtimeSettings(handshakesPerSecond: 2))

    private func isAdmitted(_ address: String, at now: Int64) -> Bool {
        admission.refusal(of: address, now: now) == nil
    }

    @Test func soManyAreAdmittedInEachSecond() {
        #expect([1, 2, 3].map { isAdmitted("a", at: $0) } == [true, true, false])
        #expect(isAdmitted("b", at: 4))
        #expect(isAdmitted("a", at: Self.second + 1))
    }

    /// An attacker who commands many addresses, or a network of IPv6.
    @Test func nobodyGetsOutByHavingManyOthersCome() {
        for _ in 0..<3 { _ = isAdmitted("a", at: 1) }
        for other in 0..<(2 * RealtimeAdmission.mostAddresses) {
            #expect(isAdmitted("other \(other)", at: 2))
        }
        #expect(!isAdmitted("a", at: 3))
    }

    @Test func thoseWhoseSecondIsOverMakeRoom() {
        for other in 0..<(2 * RealtimeAdmission.mostAddresses) { _ = isAdmitted("other \(other)", at: 1) }
        let later = 1 + 2 * Self.second
        #expect([1, 2, 3].map { isAdmitted("a", at: later + $0) } == [true, true, false])
    }
}
