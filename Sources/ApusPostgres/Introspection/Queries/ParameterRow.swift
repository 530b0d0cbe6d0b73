import ApusCatalog
import ApusSQL

/// An in, inout or variadic parameter of a function of an exposed schema.
struct ParameterRow: CatalogRow {
    let function: UInt32
    let parameter: Function.Parameter

    init(_ row: inout RowReader) {
        function = row.oid()
        let name = row.text()
        let type = row.text()
        parameter = Function.Parameter(
            name: name, type: type, castType: Self.widened(type), isRequired: row.boolean(),
            isVariadic: row.boolean())
    }

    /// A cast to `character` or `bit` without length cuts the value to one; a call does not.
    static func widened(_ type: String) -> String {
        switch type {
        case "bit": "bit varying"
        case "bit[]": "bit varying[]"
        case "character": "character varying"
        case "character[]": "character varying[]"
        default: type
        }
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select p.oid, coalesce(a.name, ''), format_type(a.type, null),
            row_number() over (partition by p.oid order by a.position) <= p.pronargs - p.pronargdefaults,
            coalesce(a.mode = 'v', false)
        from pg_proc p
            join pg_namespace n on n.oid = p.pronamespace
            cross join unnest(coalesce(p.proallargtypes, p.proargtypes), p.proargmodes, p.proargnames)
                with ordinality a (type, mode, name, position)
        where n.nspname = any(\(.array(settings.visibleSchemas)))
            and p.prokind = 'f'
            and coalesce(a.mode, 'i') in ('i', 'b', 'v')
        order by p.oid, a.position
        """
    }
}
