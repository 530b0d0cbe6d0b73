import ApusSQL
import Testing

@testable import ApusPostgres

@Suite struct EstimatesTests {
    @Test func theMeanFollowsWhatIsMeasured() {
        let text = StatementText("select 1")
        #expect(text.meanDuration == nil)
        text.record(duration: 800)
        #expect(text.meanDuration == 800)
        text.record(duration: 1_600)
        #expect(text.meanDuration == 900)
    }

    @Test func oneThatHadToWaitMakesNoSlowStatement() {
        let text = StatementText("select 1")
        text.record(duration: 800)
        text.record(duration: 1_000_000_000)
        #expect(text.meanDuration == 7_350)
    }

    @Test func theBackOffDoublesToItsLimitAndStartsAfresh() {
        var backoff = JitteredBackoff(shortest: 100, longest: 1_000)
        var generator = SystemRandomNumberGenerator()
        let ranges: [ClosedRange<Int64>] = [
            50...100, 100...200, 200...400, 400...800, 500...1_000, 500...1_000,
        ]
        for range in ranges { #expect(range.contains(backoff.next(using: &generator))) }
        backoff.reset()
        #expect((50...100).contains(backoff.next(using: &generator)))
    }

    @Test func timeSaturates() {
        #expect(MonotonicTime(nanoseconds: 5) + .max == .never)
        #expect(Duration.seconds(Int64.max).inNanoseconds == .max)
        #expect(Duration.milliseconds(3).inNanoseconds == 3_000_000)
        #expect(MonotonicTime(nil) == .never)
    }
}
