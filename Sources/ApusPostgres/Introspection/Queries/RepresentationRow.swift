import ApusCatalog
import ApusSQL

/// An implicit cast between a domain and `json` or `text` that the connected role may use.
struct RepresentationRow: CatalogRow {
    let representation: Catalog.Representation

    init(_ row: inout RowReader) {
        representation = Catalog.Representation(
            sourceType: row.text(), targetType: row.text(), function: row.text())
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select format_type(k.castsource, null), format_type(k.casttarget, null), k.castfunc::regproc
        from pg_cast k
            join pg_type s on s.oid = k.castsource
            join pg_type t on t.oid = k.casttarget
        where k.castcontext = 'i' and k.castmethod = 'f'
            and (s.typtype = 'd' and t.oid in ('json'::regtype, 'text'::regtype)
                or t.typtype = 'd' and s.oid in ('json'::regtype, 'text'::regtype))
            and has_function_privilege(k.castfunc, 'execute')
        order by 1, 2
        """
    }
}
