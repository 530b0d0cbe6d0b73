import ApusCatalog
import ApusSQL

/// A relation of an exposed schema. Partitions are left out: their partitioned table stands for them.
struct RelationRow: CatalogRow {
    /// Bits of `pg_relation_is_updatable`: `1 << CmdType` (PostgreSQL, nodes.h).
    private enum Command {
        static let update = 1 << 2
        static let insert = 1 << 3
        static let delete = 1 << 4
    }

    let oid: UInt32
    let name: QualifiedName
    let kind: Relation.Kind
    let comment: String?
    let hasRowSecurity: Bool
    let commands: Int
    let isPlainlyInserted: Bool

    var isInsertable: Bool { commands & Command.insert != 0 }
    var isUpdatable: Bool { commands & Command.update != 0 }
    var isDeletable: Bool { commands & Command.delete != 0 }

    init(_ row: inout RowReader) {
        oid = row.oid()
        name = row.name()
        kind = Relation.Kind(rawValue: row.text()) ?? .table
        comment = row.optionalText()
        hasRowSecurity = row.boolean()
        commands = row.integer()
        isPlainlyInserted = row.boolean()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select c.oid, n.nspname, c.relname, c.relkind, d.description, c.relrowsecurity,
            case
                when c.relkind in ('r', 'p') then 4 | 8 | 16
                when c.relkind = 'm' then 0
                else pg_relation_is_updatable(c.oid, true)
            end,
            c.relkind = 'r' and not c.relhasrules
                and not exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
                and not exists (
                    select from pg_index i
                    where i.indrelid = c.oid and (
                        i.indisexclusion
                        or i.indisunique and not (i.indisvalid and i.indpred is null and i.indexprs is null)))
        from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            left join pg_description d
                on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
        where n.nspname = any(\(.array(settings.visibleSchemas)))
            and c.relkind in ('r', 'p', 'v', 'm', 'f')
            and not c.relispartition
        order by n.nspname, c.relname
        """
    }
}
