import ApusCatalog
import ApusSQL

/// An aggregate or a function of an exposed schema whose result is a domain named after a media type.
///
/// A function is its own relation; its handler is the domain, which turns the result by a cast in the form of
/// a call.
struct MediaHandlerRow: CatalogRow {
    let handler: Catalog.MediaHandler

    init(_ row: inout RowReader) {
        let function = row.name()
        let input = row.name()
        let domain = row.text()
        let handlesAny = domain == "*/*"
        handler = Catalog.MediaHandler(
            function: function,
            input: input == QualifiedName("pg_catalog", "anyelement") ? .anyElement : .relation(input),
            mediaType: handlesAny ? .octetStream : MediaType(essence: domain), handlesAny: handlesAny)
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        with media_types as (
            select t.oid, n.nspname, t.typname
            from pg_type t join pg_namespace n on n.oid = t.typnamespace
            where t.typtype = 'd'
                and (t.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$' or t.typname = '*/*')
        ), functions as (
            select p.oid, p.proname, n.nspname, p.prokind, p.proretset, p.pronargs, p.proargtypes,
                p.prorettype
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = any(\(.array(settings.visibleSchemas)))
        )
        select p.nspname, p.proname, s.nspname, a.typname, m.typname
        from functions p
            join media_types m on m.oid = p.prorettype
            join pg_type a on a.oid = p.proargtypes[0]
            join pg_namespace s on s.oid = a.typnamespace
            left join pg_class c on c.oid = a.typrelid
        where p.prokind = 'a' and p.pronargs = 1
            and (a.oid = 'anyelement'::regtype or c.relkind in ('r', 'p', 'v', 'm', 'f'))
        union all
        select m.nspname, m.typname, p.nspname, p.proname, m.typname
        from functions p
            join media_types m on m.oid = p.prorettype
        where p.prokind = 'f' and not p.proretset
        order by 1, 2, 3, 4, 5
        """
    }
}
