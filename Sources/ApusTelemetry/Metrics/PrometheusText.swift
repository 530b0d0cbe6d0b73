/// Writes the Prometheus text exposition format, version 0.0.4
/// (prometheus.io, "Exposition formats").
package struct PrometheusText: ~Copyable {
    /// What `# TYPE` says.
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    private var bytes: [UInt8]

    /// Writes after what `bytes` hold already.
    init(after bytes: consuming [UInt8]) { self.bytes = bytes }

    /// The whole text.
    consuming func finish() -> [UInt8] { bytes }

    /// Opens a family; its samples must follow at once, and a name must come once in a text.
    package mutating func family(_ name: String, _ kind: Kind, help: String) {
        bytes.append(contentsOf: "# HELP \(name) ".utf8)
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(contentsOf: "\n# TYPE \(name) \(kind.rawValue)\n".utf8)
    }

    /// One sample of the family that was opened last.
    package mutating func sample(_ name: String, labels: [(String, String)] = [], _ value: Double) {
        sample(name, rendered: Self.render(labels), value: Self.number(value))
    }

    mutating func sample(_ name: String, rendered labels: String, value: String) {
        bytes.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes.append(contentsOf: labels.utf8)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: value.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    // MARK: - Parts

    /// Labels as they stand between the braces, ordered by name, so that equal sets have equal texts. Of labels whose
    /// names become the same, the last one stays.
    static func render(_ labels: [(String, String)]) -> String {
        var values: [String: String] = [:]
        for (name, value) in labels { values[PrometheusName.label(name)] = value }
        return values.sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(escape($0.value))\"" }
            .joined(separator: ",")
    }

    /// A whole number without its `.0`; the infinities as the format spells them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return String(whole) }
        return "\(value)"
    }

    private static func escape(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
