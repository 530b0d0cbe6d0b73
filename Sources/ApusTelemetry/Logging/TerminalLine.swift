import Logging

/// A log line for people: `09:05:03.000 INFO  apus.edge: listening port=3000`.
enum TerminalLine {
    static func render(_ record: LogRecord, colours: Bool) -> [UInt8] {
        let paint = Paint(isOn: colours)
        var line = paint.dim(record.time.timeOfDay) + " " + paint.level(record.level) + " "
        line += paint.dim(printable(record.label) + ":") + " " + printable(record.message)
        let (first, others) = (
            record.metadata.filter(isRequestID), record.metadata.filter { !isRequestID($0) }
        )
        for (key, value) in first + others {
            line += " " + paint.dim(printable(key) + "=") + quoted(printable(value.description))
        }
        return Array((line + "\n").utf8)
    }

    // MARK: - Non public

    private static func isRequestID(_ member: (key: String, value: Logger.Metadata.Value)) -> Bool {
        member.key == LineLogHandler.requestID
    }

    /// Control characters are spelled out: a client's words must not move the cursor or begin a line of their own.
    /// A line break is followed by spaces.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var printable = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" {
                printable += "\n    "
            } else if isControl(scalar) {
                printable += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                printable.unicodeScalars.append(scalar)
            }
        }
        return printable
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    }

    private static func quoted(_ value: String) -> String {
        value.isEmpty || value.contains(" ") ? "\"\(value)\"" : value
    }

    /// ANSI escapes (ECMA-48, 8.3.117), or none.
    private struct Paint {
        let isOn: Bool

        func dim(_ text: String) -> String { sgr("2", text) }

        func level(_ level: Logger.Level) -> String {
            switch level {
            case .trace: sgr("2", "TRACE")
            case .debug: sgr("36", "DEBUG")
            case .info: sgr("32", "INFO ")
            case .notice: sgr("34", "NOTE ")
            case .warning: sgr("33", "WARN ")
            case .error: sgr("31", "ERROR")
            case .critical: sgr("1;31", "CRIT ")
            }
        }

        private func sgr(_ code: String, _ text: String) -> String {
            isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
        }
    }
}
