import Testing

@testable import ApusPostgres

@Suite struct EstimatesTests {
    @Test func theMeanFollowsWhatIsMeasured() {
        var estimates = DurationEstimates()
        #expect(estimates[5] == nil)
        estimates.record(800, for: 5)
        #expect(estimates[5] == 800)
        estimates.record(1_600, for: 5)
        #expect(estimates[5] == 900)
    }

    @Test func anotherTextInTheSamePlaceIsNotMistaken() {
        var estimates = DurationEstimates()
        estimates.record(800, for: 5)
        estimates.record(70, for: 5 + 4_096)
        #expect(estimates[5 + 4_096] == 70)
        #expect(estimates[5] == nil)
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
