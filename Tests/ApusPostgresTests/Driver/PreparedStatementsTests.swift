import Testing

@testable import ApusPostgres

@Suite struct PreparedStatementsTests {
    private func key(_ text: UInt64, role: Int = 0, types: UInt64 = 0) -> PreparedStatements.Key {
        PreparedStatements.Key(text: text, role: role, types: types)
    }

    @Test func theLeastRecentlyUsedGivesWay() {
        var prepared = PreparedStatements(limit: 2)
        let first = prepared.add(key(1)).serial
        let second = prepared.add(key(2)).serial
        #expect(prepared.use(key(1)) == first)
        #expect(prepared.add(key(3)).evicted == second)
        #expect(prepared.use(key(2)) == nil)
        #expect(prepared.use(key(1)) == first)
        #expect(prepared.count == 2)
    }

    @Test func roleAndTypesMakeAnotherStatement() {
        var prepared = PreparedStatements(limit: 10)
        _ = prepared.add(key(1))
        #expect(prepared.use(key(1, role: 1)) == nil)
        #expect(prepared.use(key(1, types: 1)) == nil)
    }

    @Test func aLateFailureDoesNotHitALaterPreparation() {
        var prepared = PreparedStatements(limit: 1)
        let early = prepared.add(key(1)).serial
        _ = prepared.add(key(2))
        let late = prepared.add(key(1)).serial
        prepared.forget(early)
        #expect(prepared.use(key(1)) == late)
        prepared.forget(late)
        #expect(prepared.use(key(1)) == nil)
    }

    @Test func serialsAreNeverUsedAgain() {
        var prepared = PreparedStatements(limit: 4)
        let before = prepared.add(key(1)).serial
        prepared.forgetAll()
        #expect(prepared.add(key(1)).serial > before)
    }
}
