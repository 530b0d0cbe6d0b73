import ApusCatalog
import ApusSQL

/// A row level security policy of a relation of an exposed schema.
struct PolicyRow: CatalogRow {
    let relation: UInt32
    let policy: Policy

    init(_ row: inout RowReader) {
        relation = row.oid()
        policy = Policy(
            name: row.text(), command: Policy.Command(rawValue: row.text()) ?? .all,
            isPermissive: row.boolean(), roles: row.texts(), usingExpression: row.optionalText(),
            checkExpression: row.optionalText())
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select p.polrelid, p.polname, p.polcmd, p.polpermissive,
            array(
                select coalesce(r.rolname, 'public')
                from unnest(p.polroles) u (oid) left join pg_roles r on r.oid = u.oid
                order by 1),
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
        from pg_policy p
            join pg_class c on c.oid = p.polrelid
            join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(\(.array(settings.visibleSchemas)))
        order by p.polrelid, p.polname
        """
    }
}
