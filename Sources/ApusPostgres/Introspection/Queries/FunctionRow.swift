import ApusCatalog
import ApusSQL

/// A function of an exposed schema; no aggregate, window function, procedure or trigger.
struct FunctionRow: CatalogRow {
    let oid: UInt32
    let name: QualifiedName
    let comment: String?
    let result: Function.Result
    let volatility: Function.Volatility
    let hasVariadic: Bool
    /// `set` clauses, as `name=value`.
    let configuration: [String]

    init(_ row: inout RowReader) {
        oid = row.oid()
        name = row.name()
        comment = row.optionalText()
        let type = row.name()
        let isSet = row.boolean()
        let isComposite = row.boolean()
        let isDomain = row.boolean()
        result = Function.Result(
            type: type, isSet: isSet, isComposite: isComposite, isCompositeDomain: isComposite && isDomain)
        volatility = Function.Volatility(rawValue: row.text()) ?? .volatile
        hasVariadic = row.boolean()
        configuration = row.texts()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        with recursive domains (oid, base) as (
            select oid, typbasetype from pg_type where typtype = 'd'
            union all
            select d.oid, t.typbasetype
            from domains d join pg_type t on t.oid = d.base
            where t.typtype = 'd'
        )
        select p.oid, n.nspname, p.proname, d.description, s.nspname, t.typname, p.proretset,
            t.typtype = 'c' or coalesce(p.proargmodes && '{t,b,o}'::"char"[], false),
            u.oid is not null, p.provolatile, p.provariadic <> 0, p.proconfig
        from pg_proc p
            join pg_namespace n on n.oid = p.pronamespace
            left join (
                domains u join pg_type v on v.oid = u.base and v.typtype <> 'd'
            ) on u.oid = p.prorettype
            join pg_type t on t.oid = coalesce(u.base, p.prorettype)
            join pg_namespace s on s.oid = t.typnamespace
            left join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
        where n.nspname = any(\(.array(settings.visibleSchemas)))
            and p.prokind = 'f'
            and t.oid not in ('trigger'::regtype, 'event_trigger'::regtype)
        order by n.nspname, p.proname, p.oid
        """
    }
}
