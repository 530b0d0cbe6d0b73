import ApusSQL

/// A unique index on columns alone, of a relation of an exposed schema; the primary key's comes first.
struct UniqueIndexRow: CatalogRow {
    let relation: UInt32
    /// Column numbers, without those that are only included.
    let columns: [Int]

    init(_ row: inout RowReader) {
        relation = row.oid()
        let count = row.integer()
        columns = Array(row.vector().prefix(count))
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select i.indrelid, i.indnkeyatts, i.indkey
        from pg_index i
            join pg_class c on c.oid = i.indrelid
            join pg_class x on x.oid = i.indexrelid
            join pg_namespace n on n.oid = c.relnamespace
        where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
            and n.nspname = any(\(.array(settings.visibleSchemas)))
        order by i.indrelid, i.indisprimary desc, x.relname
        """
    }
}
