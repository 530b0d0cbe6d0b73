import ApusSQL

/// The parse tree of a view that is exposed or in the extra search path.
struct ViewDefinitionRow: CatalogRow {
    let view: UInt32
    /// Where the view's columns come from; a column that is computed has no origin.
    let origins: [ViewColumnOrigin]

    init(_ row: inout RowReader) {
        view = row.oid()
        origins = row.withBytes { ViewColumnOrigin.read(tree: $0) }
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select r.ev_class, r.ev_action
        from pg_rewrite r
            join pg_class c on c.oid = r.ev_class
            join pg_namespace n on n.oid = c.relnamespace
        where r.ev_type = '1' and r.is_instead
            and c.relkind in ('v', 'm')
            and n.nspname = any(\(.array(settings.visibleSchemas + settings.extraSearchPath)))
        order by r.ev_class
        """
    }
}
