import ApusJSON

/// How PostgreSQL's types show in JSON Schema.
enum SchemaType: String {
    case string, boolean, integer, number, array

    /// nil for JSON, which may be anything.
    init?(_ type: String) {
        switch type {
        case "boolean": self = .boolean
        case "smallint", "integer", "bigint": self = .integer
        case "numeric", "real", "double precision": self = .number
        case "json", "jsonb": return nil
        default: self = type.hasSuffix("[]") ? .array : .string
        }
    }

    /// `format`: how the dialect's clients tell types apart.
    static func format(_ type: String) -> String {
        switch type {
        case "smallint", "integer": "int32"
        case "bigint": "int64"
        default: type
        }
    }

    /// Type of an array's items.
    static func item(_ type: String) -> String { type.hasSuffix("[]") ? String(type.dropLast(2)) : type }

    /// A default as a JSON value, where its expression is a plain constant; nil otherwise.
    static func defaultValue(_ expression: String, type: String) -> JSONValue? {
        guard let kind = SchemaType(type) else { return nil }
        switch kind {
        case .string:
            let suffix = "::" + type
            guard expression.hasSuffix(suffix) else { return .string(expression) }
            var constant = expression.dropLast(suffix.count)
            while constant.first == "'" { constant = constant.dropFirst() }
            while constant.last == "'" { constant = constant.dropLast() }
            return .string(String(constant))
        case .boolean:
            return expression == "true" ? .bool(true) : expression == "false" ? .bool(false) : nil
        case .integer, .number:
            return isNumber(expression) ? .number(expression) : nil
        case .array: return nil
        }
    }

    /// RFC 8259 §6, without exponent.
    private static func isNumber(_ text: String) -> Bool {
        let unsigned = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = unsigned.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2,
            parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { "0123456789".contains($0) } })
        else { return false }
        return parts[0] == "0" || !parts[0].hasPrefix("0")
    }
}
