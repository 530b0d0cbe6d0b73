/// How long statements took the server lately, by the identity of their text, in nanoseconds.
///
/// A table of fixed size in which a newer text takes the place of an older one: no hashing, no growth.
struct DurationEstimates {
    private static let slots = 4_096
    private var texts = [UInt64](repeating: 0, count: slots)
    private var means = [Int64](repeating: 0, count: slots)

    /// nil for a text that was not measured yet.
    subscript(text: UInt64) -> Int64? {
        let slot = Int(text % UInt64(Self.slots))
        return texts[slot] == text ? means[slot] : nil
    }

    /// Moves the mean an eighth of the way to `duration`; the first measurement is taken as it is. One that is far above
    /// the mean counts as four times the mean: a backend that had to wait for a processor once does not make a slow
    /// statement, and one that has become slow is known as such after some executions.
    mutating func record(_ duration: Int64, for text: UInt64) {
        let slot = Int(text % UInt64(Self.slots))
        if texts[slot] == text {
            let counted = min(duration, 4 * means[slot] + 50_000)
            means[slot] += (counted - means[slot]) / 8
        } else {
            texts[slot] = text
            means[slot] = duration
        }
    }
}
