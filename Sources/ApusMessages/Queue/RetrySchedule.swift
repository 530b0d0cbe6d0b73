/// How long to wait before a message is tried again.
package struct RetrySchedule: Sendable {
    /// Seconds after the first failure; doubled after each further one.
    package var first: Double
    /// Most seconds between two attempts.
    package var longest: Double

    package init(first: Double = 2, longest: Double = 600) {
        self.first = first
        self.longest = longest
    }

    /// Seconds after the failure of this attempt (1 for the first), spread by a quarter to either side: a server that
    /// comes back is not met by everything at once.
    func pause(afterAttempt attempt: Int) -> Double {
        var pause = first
        for _ in 1..<max(1, min(attempt, 40)) where pause < longest { pause *= 2 }
        return min(pause, longest) * Double.random(in: 0.75...1.25)
    }
}
