import ApusPlanner
import ApusSQL

/// The values of several requests of one shape, as the rows of a relation that a statement joins: a column for each value
/// of the shape, and the request's number.
///
/// A parameter takes its type from what it is compared with; a column has one of its own. So it can be done where a value is
/// compared with a column of a type whose comparisons are within itself.
struct GatheredValues {
    /// The relation; no statement that has this in its text is gathered.
    static let name: SQL = "_apus_each"
    static let number: SQL = "_apus_number"

    /// Of the columns, so far.
    private var types: [SQL] = []
    private var isPossible = true
    /// Of the value that is written next.
    private var type: SQL?

    /// A filter is written next.
    mutating func expect(_ filter: PlannedFilter) { type = Self.type(of: filter) }

    /// What is written next is no filter.
    mutating func expectNothing() { type = nil }

    /// Stands for the next value.
    mutating func next() -> SQL {
        guard let type else {
            isPossible = false
            return "NULL"
        }
        types.append(type)
        return "\(Self.name).\(Self.column(types.count))"
    }

    /// What goes into `FROM`, with an array of text for each slot; nil when a value has no place in it.
    ///
    /// The arrays stand in subselects, so that PostgreSQL does not look into them when it plans: then plans for some values
    /// and a plan for any look equally dear, and it keeps the latter.
    var relation: SQL? {
        guard isPossible, !types.isEmpty else { return nil }
        let lists = types.enumerated().map { index, type in
            "pg_catalog.unnest((SELECT \(SQL.slot(index))::\(type)[]))" as SQL
        }
        let columns = (types.indices.map { Self.column($0 + 1) } + [Self.number]).joined(separator: ", ")
        return "ROWS FROM (\(lists.joined(separator: ", "))) WITH ORDINALITY AS \(Self.name) (\(columns))"
    }

    // MARK: - Non public

    private static func column(_ number: Int) -> SQL { SQL(trusted: "v\(number)") }

    private static func type(of filter: PlannedFilter) -> SQL? {
        let field = filter.field
        guard field.path.isEmpty, field.transform == nil, field.textSearch == nil,
            let type = types[field.type]
        else { return nil }
        switch filter.operation {
        case .compare(.notEqual, _), .isDistinctFrom: return type
        case .quantified(let comparison, nil, _):
            return comparison.isOfText && type.text != text.text ? nil : type
        default: return nil
        }
    }

    private static let text: SQL = "pg_catalog.text"

    /// By the names that PostgreSQL shows. A varying character is compared as text.
    private static let types: [String: SQL] = [
        "smallint": "pg_catalog.int2", "integer": "pg_catalog.int4", "bigint": "pg_catalog.int8",
        "numeric": "pg_catalog.numeric", "real": "pg_catalog.float4", "double precision": "pg_catalog.float8",
        "boolean": "pg_catalog.bool", "uuid": "pg_catalog.uuid", "date": "pg_catalog.date",
        "timestamp with time zone": "pg_catalog.timestamptz",
        "timestamp without time zone": "pg_catalog.timestamp", "text": text, "character varying": text,
    ]
}
