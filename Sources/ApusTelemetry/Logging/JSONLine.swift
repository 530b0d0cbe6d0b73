import ApusJSON
import Logging

/// A log line for machines: `{"ts":…,"level":…,"msg":…,"label":…,"metadata":{…}}`.
enum JSONLine {
    static func render(_ record: LogRecord) -> [UInt8] {
        var line = Array(
            "{\"ts\":\"\(record.time.timestamp)\",\"level\":\"\(record.level.rawValue)\",\"msg\":".utf8)
        appendJSONString(record.message, to: &line)
        line.append(contentsOf: ",\"label\":".utf8)
        appendJSONString(record.label, to: &line)
        if !record.metadata.isEmpty {
            line.append(contentsOf: ",\"metadata\":".utf8)
            append(record.metadata, to: &line)
        }
        line.append(contentsOf: "}\n".utf8)
        return line
    }

    // MARK: - Non public

    private static func append(
        _ members: [(key: String, value: Logger.Metadata.Value)], to line: inout [UInt8]
    ) {
        line.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            appendJSONString(member.key, to: &line)
            line.append(UInt8(ascii: ":"))
            append(member.value, to: &line)
        }
        line.append(UInt8(ascii: "}"))
    }

    private static func append(_ value: Logger.Metadata.Value, to line: inout [UInt8]) {
        switch value {
        case .string(let text): appendJSONString(text, to: &line)
        case .stringConvertible(let value): append(value, to: &line)
        case .dictionary(let members): append(members.sorted { $0.key < $1.key }, to: &line)
        case .array(let elements):
            line.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                append(element, to: &line)
            }
            line.append(UInt8(ascii: "]"))
        }
    }

    /// Numbers and truth values stay what they are, so that a query on the log can compare them.
    private static func append(_ value: any CustomStringConvertible & Sendable, to line: inout [UInt8]) {
        switch value {
        case let value as any BinaryInteger: line.append(contentsOf: "\(value)".utf8)
        case let value as Bool: line.append(contentsOf: "\(value)".utf8)
        case let value as Double where value.isFinite: line.append(contentsOf: "\(value)".utf8)
        default: appendJSONString(value.description, to: &line)
        }
    }
}
