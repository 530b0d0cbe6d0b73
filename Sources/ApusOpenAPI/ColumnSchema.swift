import ApusCatalog
import ApusJSON

/// JSON Schema (2020-12) of what PostgreSQL's `to_json` makes of a type.
enum ColumnSchema {
    /// - Parameter isNullable: whether `null` is among the values.
    static func schema(type: String, enumLabels: [String] = [], isNullable: Bool) -> JSONObject {
        if !enumLabels.isEmpty {
            var labels: [JSONValue] = enumLabels.map { .string($0) }
            if isNullable { labels.append(.null) }
            return ["enum": .array(labels)]
        }
        if type.hasSuffix("[]") {
            // Items may be null, and an array may have further dimensions: PostgreSQL's type says neither.
            return ["type": kinds("array", isNullable), "items": .object(JSONObject())]
        }
        switch type {
        case "json", "jsonb": return JSONObject()
        case "boolean": return ["type": kinds("boolean", isNullable)]
        case "smallint", "integer": return ["type": kinds("integer", isNullable), "format": .string("int32")]
        case "bigint": return ["type": kinds("integer", isNullable), "format": .string("int64")]
        case "numeric", "real", "double precision":
            // NaN and infinities have no JSON number: PostgreSQL writes them as strings.
            return ["type": .strings(["number", "string"] + (isNullable ? ["null"] : []))]
        case "text", "character varying", "character", "name", "citext", "uuid", "date", "bytea", "xml",
            "timestamp with time zone", "timestamp without time zone", "time without time zone", "interval",
            "inet", "cidr", "macaddr":
            var schema: JSONObject = ["type": kinds("string", isNullable)]
            if type == "uuid" { schema["format"] = .string("uuid") }
            return schema
        // A composite, a domain over one, a range, an extension's type: to_json may make anything of it.
        default: return JSONObject()
        }
    }

    private static func kinds(_ kind: String, _ isNullable: Bool) -> JSONValue {
        isNullable ? .strings([kind, "null"]) : .string(kind)
    }
}
