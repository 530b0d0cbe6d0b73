/// A family of types whose values can be compared in the process exactly as PostgreSQL compares them.
///
/// What is not here (floating point, `bpchar`, ranges, composite types, …) is left to PostgreSQL.
package enum ScalarKind: Sendable, Hashable {
    case boolean
    /// `smallint`, `integer`, `bigint`, `numeric`: compared as numbers, whatever their widths.
    case number
    /// `text`, `varchar`, and enums by their labels: equality only, under a deterministic collation, where it is
    /// equality of bytes (PostgreSQL, "Nondeterministic Collations").
    case text
    case uuid
    case date
    case timestamp
    case timestamptz

    /// The family of a built-in type by its object id; nil for a type that is left to PostgreSQL.
    package init?(typeOID: UInt32) {
        switch typeOID {
        case 16: self = .boolean
        case 20, 21, 23, 1700: self = .number
        case 25, 1043: self = .text
        case 2950: self = .uuid
        case 1082: self = .date
        case 1114: self = .timestamp
        case 1184: self = .timestamptz
        default: return nil
        }
    }

    /// Whether `<` and its like are decided here; for text they depend on the collation.
    var isOrdered: Bool { self != .text }
}
