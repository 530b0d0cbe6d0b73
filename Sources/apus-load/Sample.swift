/// Durations, and what is told of them.
struct Sample: Sendable {
    private var values: [Int64] = []

    mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }

    var count: Int { values.count }

    /// Milliseconds below which these shares of the values lie.
    func quantiles(_ shares: [Double]) -> [Double] {
        guard !values.isEmpty else { return shares.map { _ in .nan } }
        let sorted = values.sorted()
        return shares.map { Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * $0))]) / 1e6 }
    }

    var p50: Double { quantiles([0.5])[0] }
    var p99: Double { quantiles([0.99])[0] }

    var summary: String {
        let values = quantiles([0.5, 0.99, 1])
        return "p50 \(rounded(values[0])) ms, p99 \(rounded(values[1])) ms, max \(rounded(values[2])) ms"
    }
}

/// With two digits behind the point.
func rounded(_ number: Double) -> String {
    guard number.isFinite else { return "–" }
    let hundredths = Int((abs(number) * 100).rounded())
    let rest = hundredths % 100
    return "\(number < 0 && hundredths > 0 ? "-" : "")\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}

/// With commas between groups of three digits.
func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(abs(number)).reversed().enumerated() {
        if place > 0, place % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
}
