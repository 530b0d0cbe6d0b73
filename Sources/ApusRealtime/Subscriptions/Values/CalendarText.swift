/// Reads dates and timestamps as PostgreSQL prints them under `DateStyle = ISO` ("Date/Time Output").
enum CalendarText {
    /// Days since 2000-01-01 of `2024-02-29` or `0044-03-15 BC`; `±infinity` as the ends of the range.
    static func days(_ text: ArraySlice<UInt8>) -> Int64? {
        if let infinite = infinity(text) { return infinite }
        var reader = Reader(text)
        guard let day = reader.date(), let isBC = reader.era(), reader.isAtEnd else { return nil }
        return day.count(isBC: isBC)
    }

    /// Microseconds since 2000-01-01 00:00 (UTC with a zone) of `2024-02-29 12:00:00.5+02`.
    static func microseconds(_ text: ArraySlice<UInt8>, hasZone: Bool) -> Int64? {
        if let infinite = infinity(text) { return infinite }
        var reader = Reader(text)
        guard let day = reader.date(), reader.take(UInt8(ascii: " ")), let time = reader.time() else {
            return nil
        }
        var offset: Int64 = 0
        if hasZone {
            guard let zone = reader.zone() else { return nil }
            offset = zone
        }
        guard let isBC = reader.era(), reader.isAtEnd else { return nil }
        return day.count(isBC: isBC) * 86_400_000_000 + time - offset * 1_000_000
    }

    private static func infinity(_ text: ArraySlice<UInt8>) -> Int64? {
        if text.elementsEqual("infinity".utf8) { return .max }
        return text.elementsEqual("-infinity".utf8) ? .min : nil
    }

    private struct Day {
        var year: Int64
        var month: Int64
        var day: Int64

        /// Days since 2000-01-01 in the proleptic Gregorian calendar, years counted without a year 0.
        func count(isBC: Bool) -> Int64 {
            let year = (isBC ? 1 - self.year : self.year) - (month <= 2 ? 1 : 0)
            let era = (year >= 0 ? year : year - 399) / 400
            let ofEra = year - era * 400
            let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
            return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 730_425
        }
    }

    private struct Reader {
        private var rest: ArraySlice<UInt8>

        init(_ text: ArraySlice<UInt8>) { rest = text }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func number(digits: ClosedRange<Int>) -> Int64? {
            let found = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard digits.contains(found.count) else { return nil }
            rest = rest[found.endIndex...]
            return found.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }

        mutating func date() -> Day? {
            guard let year = number(digits: 4...7), take(UInt8(ascii: "-")),
                let month = number(digits: 2...2),
                take(UInt8(ascii: "-")), let day = number(digits: 2...2)
            else { return nil }
            return Day(year: year, month: month, day: day)
        }

        /// Microseconds of `12:00:00.5`.
        mutating func time() -> Int64? {
            guard let hours = number(digits: 2...2), take(UInt8(ascii: ":")),
                let minutes = number(digits: 2...2), take(UInt8(ascii: ":")),
                let seconds = number(digits: 2...2)
            else { return nil }
            var micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
            if take(UInt8(ascii: ".")) {
                let start = rest.count
                guard let fraction = number(digits: 1...6) else { return nil }
                micros += (0..<(6 - (start - rest.count))).reduce(fraction) { value, _ in value * 10 }
            }
            return micros
        }

        /// Seconds east of UTC of `+02`, `-03:30` or `+00:19:32`.
        mutating func zone() -> Int64? {
            let isNegative = rest.first == UInt8(ascii: "-")
            guard take(UInt8(ascii: "+")) || take(UInt8(ascii: "-")), let hours = number(digits: 2...2) else {
                return nil
            }
            var seconds = hours * 3_600
            if take(UInt8(ascii: ":")) {
                guard let minutes = number(digits: 2...2) else { return nil }
                seconds += minutes * 60
                if take(UInt8(ascii: ":")) {
                    guard let more = number(digits: 2...2) else { return nil }
                    seconds += more
                }
            }
            return isNegative ? -seconds : seconds
        }

        /// Whether the date is before the common era.
        mutating func era() -> Bool? {
            if isAtEnd { return false }
            guard rest.elementsEqual(" BC".utf8) else { return nil }
            rest = []
            return true
        }
    }
}
