/// Counts in windows of fixed length: at the most so many in each. Two numbers a client, however high the limit.
package struct RateWindow: Sendable {
    private var start: Int64 = .min
    private var count = 0

    package init() {}

    /// Whether one more is within the limit now.
    ///
    /// - Parameters:
    ///   - now: nanoseconds of a clock that only runs forward.
    ///   - length: of the window, in nanoseconds.
    ///   - limit: 0 for none.
    package mutating func admit(now: Int64, length: Int64, limit: Int) -> Bool {
        if limit == 0 { return true }
        if isOver(now: now, length: length) {
            start = now
            count = 0
        }
        count += 1
        return count <= limit
    }

    /// Whether nothing of it counts any more.
    package func isOver(now: Int64, length: Int64) -> Bool { start == .min || now - start >= length }
}
