/// A value that travels beside a statement's text.
package enum SQLValue: Sendable, Equatable {
    case null
    /// Text format; PostgreSQL infers the type from where it stands.
    case text(String)
    /// Text format with a type of its own, by its object id (`pg_type.oid`).
    case typed(String, oid: UInt32)
    /// Binary format of the type with this object id. `json` (114), `bytea` (17) and `text` (25) take their
    /// bytes as they are, so a body travels without a copy into a string.
    case binary([UInt8], oid: UInt32)
}

/// Object ids of built-in types (`pg_type.dat`), fixed for all versions of PostgreSQL.
package enum TypeOID {
    package static let unknown: UInt32 = 0
    package static let bool: UInt32 = 16
    package static let bytea: UInt32 = 17
    package static let int8: UInt32 = 20
    package static let int4: UInt32 = 23
    package static let text: UInt32 = 25
    package static let json: UInt32 = 114
    package static let xml: UInt32 = 142
    package static let jsonb: UInt32 = 3802
    package static let uuid: UInt32 = 2950
}
