/// Times of commits as clients get them: ISO 8601 in UTC with milliseconds.
package enum CommitTime {
    /// - Parameter microseconds: since 1970-01-01T00:00:00Z.
    package static func text(_ microseconds: Int64) -> String {
        let milliseconds = microseconds.quotientFloor(1_000)
        let seconds = milliseconds.quotientFloor(1_000)
        let days = seconds.quotientFloor(86_400)
        let rest = Int(seconds - days * 86_400)
        let (year, month, day) = civil(days)
        return
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(rest / 3_600, 2)):\(pad(rest / 60 % 60, 2)):"
            + "\(pad(rest % 60, 2)).\(pad(Int(milliseconds - seconds * 1_000), 3))Z"
    }

    /// Days since 1970 to a date of the Gregorian calendar: years are counted from March, so that a leap day is the
    /// last of its year; 400 years have 146,097 days.
    private static func civil(_ days: Int64) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = shifted.quotientFloor(146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let place = (5 * dayOfYear + 2) / 153
        let month = place < 10 ? place + 3 : place - 9
        return (
            Int(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * place + 2) / 5 + 1
        )
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension Int64 {
    /// Division that rounds down, also below zero.
    fileprivate func quotientFloor(_ divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : (self - divisor + 1) / divisor
    }
}
