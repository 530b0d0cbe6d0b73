import ApusSQL

/// An exposed schema that exists.
struct SchemaRow: CatalogRow {
    let name: String
    let comment: String?

    init(_ row: inout RowReader) {
        name = row.text()
        comment = row.optionalText()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select n.nspname, obj_description(n.oid, 'pg_namespace')
        from pg_namespace n
        where n.nspname = any(\(.array(settings.visibleSchemas)))
        order by 1
        """
    }
}
