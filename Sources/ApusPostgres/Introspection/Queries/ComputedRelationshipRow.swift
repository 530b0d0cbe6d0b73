import ApusCatalog
import ApusSQL

/// A function of any schema that takes a row of one exposed relation and returns rows of another.
struct ComputedRelationshipRow: CatalogRow {
    let function: QualifiedName
    let source: UInt32
    let target: UInt32
    let returnsOne: Bool

    init(_ row: inout RowReader) {
        function = row.name()
        source = row.oid()
        target = row.oid()
        returnsOne = row.boolean()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        with shown as (
            select c.oid, c.reltype
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = any(\(.array(settings.visibleSchemas)))
                and c.relkind in ('r', 'p', 'v', 'm', 'f')
        )
        select n.nspname, p.proname, s.oid, t.oid, not p.proretset or p.prorows = 1
        from pg_proc p
            join shown s on s.reltype = p.proargtypes[0]
            join shown t on t.reltype = p.prorettype
            join pg_namespace n on n.oid = p.pronamespace
        where p.pronargs = 1 and p.prokind = 'f'
        order by n.nspname, p.proname, p.oid
        """
    }
}
