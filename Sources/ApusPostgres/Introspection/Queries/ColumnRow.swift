import ApusCatalog
import ApusSQL

/// A column of a relation of an exposed schema.
struct ColumnRow: CatalogRow {
    let relation: UInt32
    let position: Int
    let name: String
    let typeOID: UInt32
    /// The type below all domains.
    let baseOID: UInt32
    let type: String
    let baseType: String
    let nominalType: String
    let isNullable: Bool
    let defaultExpression: String?
    let generation: Column.Generation
    let maxLength: Int?
    let comment: String?

    init(_ row: inout RowReader) {
        relation = row.oid()
        position = row.integer()
        name = row.text()
        typeOID = row.oid()
        baseOID = row.oid()
        type = row.text()
        baseType = row.text()
        nominalType = row.text()
        isNullable = row.boolean()
        defaultExpression = row.optionalText()
        generation =
            switch row.text() {
            case "": .none
            case "a": .identityAlways
            case "d": .identityByDefault
            default: .computed
            }
        maxLength = row.optionalInteger()
        comment = row.optionalText()
    }

    /// The dialect prints a type of PostgreSQL's own without modifier and any other one with it; a domain
    /// is looked through only down to a type of PostgreSQL's own.
    ///
    /// `format_type(…, -1)` prints `bpchar` and `"bit"` where `null` prints `character` and `bit`, which as
    /// the target of a cast would cut a value to one.
    static func query(for settings: CatalogSettings) -> SQL {
        """
        with recursive domains (oid, base, typmod) as (
            select oid, typbasetype, typtypmod from pg_type where typtype = 'd'
            union all
            select d.oid, t.typbasetype, case when d.typmod = -1 then t.typtypmod else d.typmod end
            from domains d join pg_type t on t.oid = d.base
            where t.typtype = 'd'
        ), shown as (
            select c.oid
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = any(\(.array(settings.visibleSchemas)))
                and c.relkind in ('r', 'p', 'v', 'm', 'f')
                and not c.relispartition
        )
        select a.attrelid, a.attnum, a.attname, a.atttypid, b.oid,
            format_type(a.atttypid, a.atttypmod),
            case
                when b.typnamespace = 'pg_catalog'::regnamespace then format_type(b.oid, null)
                else format_type(a.atttypid, a.atttypmod)
            end,
            format_type(a.atttypid, -1),
            not (a.attnotnull or t.typtype = 'd' and t.typnotnull),
            case
                when t.typtype = 'd' and e.adbin is null then pg_get_expr(t.typdefaultbin, 0)
                when a.attidentity = 'd' then (
                    select format('nextval(%L)', s.objid::regclass)
                    from pg_depend s
                    where s.refclassid = 'pg_class'::regclass and s.refobjid = a.attrelid
                        and s.refobjsubid = a.attnum
                        and s.classid = 'pg_class'::regclass and s.deptype = 'i'
                    limit 1)
                when a.attgenerated = '' then pg_get_expr(e.adbin, e.adrelid)
            end,
            case when a.attgenerated <> '' then 'c' else a.attidentity::text end,
            case
                when m.typmod = -1 then null
                when b.oid in ('bpchar'::regtype, 'varchar'::regtype) then m.typmod - 4
                when b.oid in ('bit'::regtype, 'varbit'::regtype) then m.typmod
            end,
            d.description
        from shown c
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            join pg_type t on t.oid = a.atttypid
            left join (
                domains u join pg_type v on v.oid = u.base and v.typtype <> 'd'
            ) on u.oid = a.atttypid
            join pg_type b on b.oid = coalesce(u.base, a.atttypid)
            cross join lateral (
                select case when a.atttypmod = -1 then coalesce(u.typmod, -1) else a.atttypmod end
            ) m (typmod)
            left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
            left join pg_description d
                on d.objoid = a.attrelid and d.objsubid = a.attnum and d.classoid = 'pg_class'::regclass
        order by a.attrelid, a.attnum
        """
    }
}
