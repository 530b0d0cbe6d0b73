import Testing

@testable import ApusPostgres

@Suite struct PipelineLedgerTests {
    @Test func aTripWithAPreparationIsKeptAndFinished() {
        var ledger = PipelineLedger()
        ledger.sent(.prepare(serial: 1))
        ledger.sent(.execute(serial: 1, keepsRows: true))
        ledger.sent(.sync)
        #expect(ledger.received(.success) == .nothing)
        #expect(ledger.received(.end) == .nothing)
        #expect(ledger.received(.success) == .keep)
        #expect(ledger.received(.end) == .nothing)
        #expect(ledger.received(.sync) == .finish)
        #expect(ledger.isEmpty)
    }

    @Test func aPreparationSkippedByAnErrorBeforeItIsForgotten() {
        var ledger = PipelineLedger()
        ledger.sent(.execute(serial: 7, keepsRows: false))
        ledger.sent(.prepare(serial: 8))
        ledger.sent(.execute(serial: 8, keepsRows: true))
        ledger.sent(.sync)
        #expect(ledger.received(.error) == .fail(executed: 7))
        _ = ledger.received(.end)
        #expect(ledger.received(.aborted) == .forget(8))
        _ = ledger.received(.end)
        #expect(ledger.received(.aborted) == .skip)
        _ = ledger.received(.end)
        #expect(ledger.received(.sync) == .finish)
    }

    @Test func aFailedPreparationIsTold() {
        var ledger = PipelineLedger()
        ledger.sent(.prepare(serial: 3))
        ledger.sent(.execute(serial: 3, keepsRows: true))
        ledger.sent(.sync)
        #expect(ledger.received(.error) == .failPreparing(3))
    }

    @Test func resultsOfStepsNobodyWantsAreNotKept() {
        var ledger = PipelineLedger()
        ledger.sent(.execute(serial: nil, keepsRows: false))
        ledger.sent(.sync)
        #expect(ledger.received(.success) == .nothing)
    }

    @Test func nullsWithoutAResultCountNothing() {
        var ledger = PipelineLedger()
        ledger.sent(.execute(serial: nil, keepsRows: true))
        ledger.sent(.sync)
        _ = ledger.received(.end)
        #expect(ledger.received(.success) == .keep)
    }

    @Test func whatDoesNotFitIsAViolation() {
        var ledger = PipelineLedger()
        #expect(ledger.received(.success) == .violation)
        #expect(ledger.received(.sync) == .violation)
        ledger.sent(.execute(serial: nil, keepsRows: true))
        ledger.sent(.sync)
        #expect(ledger.received(.copy) == .violation)
        #expect(ledger.received(.sync) == .violation)
    }
}
