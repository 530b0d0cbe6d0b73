import ApusSQL

/// How the text of a column's values becomes JSON, as PostgreSQL's `row_to_json` makes it of the same type.
enum JSONColumn {
    case bool
    /// As it is, if it is a number; `NaN` and `Infinity` in quotes.
    case number
    /// As it is.
    case json
    /// In quotes, with escapes.
    case text
    case date
    case timestamp
    case timestampWithZone

    /// - Parameter type: the object id of the type, of a domain that of the type below it, as a result tells it.
    /// - Returns: nil for types that become something else (arrays, rows), and for types that are not built in, of which
    ///   only the database knows.
    init?(type: UInt32) {
        switch type {
        case 16: self = .bool
        case 20, 21, 23, 700, 701, 1700: self = .number
        case 114, 3802: self = .json
        case 1082: self = .date
        case 1114: self = .timestamp
        case 1184: self = .timestampWithZone
        case _ where Self.texts.contains(type): self = .text
        default: return nil
        }
    }

    /// Built-in types that become strings: bytea, "char", name, text, oid, xml, inet, cidr, macaddr, character, varying
    /// character, time, interval, bit strings, money, uuid, ranges, text search, geometry and the like (`pg_type.dat`).
    private static let texts: Set<UInt32> = [
        17, 18, 19, 24, 25, 26, 27, 28, 29, 142, 600, 601, 602, 603, 604, 628, 650, 705, 718, 774, 790, 829,
        869,
        1042, 1043, 1083, 1186, 1266, 1560, 1562, 2202, 2203, 2204, 2205, 2206, 2950, 2970, 3220, 3614, 3615,
        3734,
        3769, 3904, 3906, 3908, 3910, 3912, 3926, 4072, 4089, 4096, 4451, 4532, 4533, 4534, 4535, 4536, 5038,
        5069,
    ]
}
