import ApusSQL

/// A primary key, a unique constraint or a foreign key, of any schema: a view may show what lies in a hidden
/// one. What a partition inherits is left out.
struct ConstraintRow: CatalogRow {
    enum Kind: String, Sendable {
        case primaryKey = "p"
        case unique = "u"
        case foreignKey = "f"
    }

    let name: String
    let kind: Kind
    let table: UInt32
    /// Column numbers, in the order of the constraint.
    let columns: [Int]
    /// The referenced table; 0 unless a foreign key.
    let target: UInt32
    let targetColumns: [Int]

    init(_ row: inout RowReader) {
        name = row.text()
        kind = Kind(rawValue: row.text()) ?? .unique
        table = row.oid()
        columns = row.integers()
        target = row.oid()
        targetColumns = row.integers()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select k.conname, k.contype, k.conrelid, k.conkey, k.confrelid, k.confkey
        from pg_constraint k
            join pg_class c on c.oid = k.conrelid
            join pg_namespace n on n.oid = c.relnamespace
        where k.contype in ('p', 'u', 'f')
            and (k.contype <> 'f' or k.conparentid = 0)
            and n.nspname not in ('pg_catalog', 'information_schema')
        order by n.nspname, c.relname, k.conname
        """
    }
}
