/// How long to wait before the next attempt: twice as long after each failure, up to a limit, and a random
/// part of it, so that many nodes do not come back together.
struct JitteredBackoff {
    private let shortest: Int64
    private let longest: Int64
    private var failures = 0

    /// Bounds of the wait, in nanoseconds.
    init(shortest: Int64 = 20_000_000, longest: Int64 = 5_000_000_000) {
        self.shortest = shortest
        self.longest = longest
    }

    /// Nanoseconds to wait after one more failure: between half and all of the current step.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Int64 {
        let step = min(longest, shortest << Int64(min(failures, 20)))
        failures += 1
        return Int64.random(in: step / 2...step, using: &generator)
    }

    mutating func reset() { failures = 0 }
}
