/// `90s`, `15m`, `1h`, `7d` or `never`.
struct Lifetime {
    /// nil: no end.
    let seconds: Int64?

    init?(_ text: String) {
        if text == "never" {
            seconds = nil
            return
        }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()), number > 0
        else {
            return nil
        }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
        if overflow { return nil }
        self.seconds = seconds
    }

    static func complaint(about text: String) -> String {
        "--expires-in takes a number with s, m, h or d, or 'never', not '\(text)'."
    }
}
