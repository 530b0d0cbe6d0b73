package import ApusFaults
package import ApusPostgres
import ApusSQL

/// Which relations and functions of a schema a caller may use, by their object ids.
package struct VisibleNames: Sendable, Hashable {
    package var relations: Set<UInt32> = []
    package var functions: Set<UInt32> = []
}

extension DataAPI {
    /// Asks the database, as the caller, what the caller may use of a schema.
    package func visibleNames(
        in schema: String, for request: DataRequest
    ) async throws(Fault) -> VisibleNames {
        let relations: SQL = """
            select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = \(bind: schema) and c.relkind in ('v', 'r', 'm', 'f', 'p')
                and (pg_catalog.pg_has_role(c.relowner, 'USAGE')
                    or pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                    or pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
            """
        let functions: SQL = """
            select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
            where n.nspname = \(bind: schema) and pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
            """
        let rows = try await run([Statement(relations), Statement(functions)], for: request)
        guard rows.count == 2 else {
            throw Fault(code: "PGRSTX00", kind: .internal, message: "The database gave no result.")
        }
        return VisibleNames(relations: Self.identifiers(rows[0]), functions: Self.identifiers(rows[1]))
    }

    private static func identifiers(_ rows: Rows) -> Set<UInt32> {
        Set((0..<rows.count).compactMap { rows.int($0, 0).map { UInt32($0) } })
    }
}
