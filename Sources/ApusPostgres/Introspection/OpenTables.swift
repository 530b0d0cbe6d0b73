import ApusSQL

/// Looks for tables that a role reaches and no row level security guards.
package struct OpenTables: Sendable {
    /// A table, by the names that the database has for it.
    package struct Table: Sendable, Hashable {
        package var schema: String
        package var name: String
        /// Schema and name as SQL has to write them.
        package var quoted: String
    }

    private let role: String
    private let schemas: [String]

    /// - Parameters:
    ///   - role: whose reach is looked at, that of requests without a token say.
    ///   - schemas: where clients can go.
    package init(reachedBy role: String, in schemas: [String]) {
        self.role = role
        self.schemas = schemas
    }

    /// In the order of their names. Views and foreign tables cannot have row level security; partitions are not served;
    /// an extension's tables are not the user's to change. None for a role that row level security does not bind.
    package func read(from database: Database) async throws(PostgresFault) -> [Table] {
        let rows = try await database.query(
            """
            select n.nspname, c.relname, format('%I.%I', n.nspname, c.relname)
            from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_roles r
            where r.rolname = \(bind: role) and not (r.rolsuper or r.rolbypassrls)
                and n.nspname = any (\(bind: ArrayLiteral.encode(schemas))::text[])
                and c.relkind in ('r', 'p') and not c.relispartition and not c.relrowsecurity
                and has_schema_privilege(r.oid, n.oid, 'usage')
                and (has_table_privilege(r.oid, c.oid, 'select, insert, update, delete')
                    or has_any_column_privilege(r.oid, c.oid, 'select, insert, update'))
                and not exists (
                    select from pg_depend d
                    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
            order by 1, 2
            """)
        return (0..<rows.count).compactMap { row in
            guard let schema = rows.string(row, 0), let name = rows.string(row, 1),
                let quoted = rows.string(row, 2)
            else { return nil }
            return Table(schema: schema, name: name, quoted: quoted)
        }
    }
}
