import ApusFaults
import ApusJSON
import ApusPostgres
import ApusSQL

/// Reads what ``TableAccess`` and ``RoleAccess`` hold out of PostgreSQL's catalog (`pg_policy`, `pg_class`,
/// `pg_attribute`, and the privilege functions).
struct AccessReader: Sendable {
    let database: Database

    /// - Throws: when the database refuses; nil when there is no such table.
    func table(schema: String, name: String) async throws(PostgresFault) -> TableAccess? {
        try await table(where: "n.nspname = \(bind: schema) and c.relname = \(bind: name)")
    }

    /// - Throws: when the database refuses; nil when there is no such table.
    func table(oid: UInt32) async throws(PostgresFault) -> TableAccess? {
        try await table(where: "c.oid = \(bind: Int(oid))::oid")
    }

    /// - Throws: when the database refuses; nil when there is no such role.
    func role(_ role: String, of table: TableAccess) async throws(PostgresFault) -> RoleAccess? {
        let rows = try await read(Self.roleQuery(role, table.oid))
        guard let object = Self.document(rows) else { return nil }
        let columns = object["columns"]?.array?.map { $0 == .bool(true) } ?? []
        let applying = object["policies"]?.array?.map { $0 == .bool(true) } ?? []
        return RoleAccess(
            canRead: object["reads"] == .bool(true), columns: columns,
            bypassesPolicies: object["bypasses"] == .bool(true),
            policies: applying.indices.filter { applying[$0] })
    }

    // MARK: - Non public

    private func table(where condition: SQL) async throws(PostgresFault) -> TableAccess? {
        let rows = try await read(Self.tableQuery(condition))
        return Self.document(rows).flatMap(Self.table)
    }

    /// Names are printed with their schema, because the search path is empty.
    private func read(_ query: SQL) async throws(PostgresFault) -> Rows {
        let trip = RoundTrip(
            steps: [
                .init(Statement("select set_config('search_path', '', true)"), keepsRows: false),
                .init(Statement(query)),
            ], isReadOnly: true)
        return try await database.execute(trip).only()
    }

    private static func document(_ rows: Rows) -> JSONObject? {
        guard rows.count == 1, let text = rows.string(0, 0) else { return nil }
        return (try? JSONReader.read(Array(text.utf8)))?.object
    }

    private static func table(_ object: JSONObject) -> TableAccess? {
        guard let oid = object["oid"]?.unsigned, let schema = object["schema"]?.text,
            let name = object["name"]?.text
        else { return nil }
        return TableAccess(
            oid: oid, schema: schema, name: name,
            columns: (object["columns"]?.array ?? []).compactMap { $0.object.flatMap(column) },
            key: (object["key"]?.array ?? []).compactMap(\.text),
            hasRowSecurity: object["secured"] == .bool(true), bindsOwner: object["forced"] == .bool(true),
            policies: (object["policies"]?.array ?? []).compactMap { $0.object.flatMap(policy) })
    }

    private static func column(_ object: JSONObject) -> TableAccess.Column? {
        guard let name = object["name"]?.text, let type = object["type"]?.unsigned else { return nil }
        return TableAccess.Column(
            name: name, typeOID: type, baseTypeOID: object["base"]?.unsigned ?? type,
            elementTypeOID: object["element"]?.unsigned ?? 0, isEnum: object["enum"] == .bool(true),
            typeName: object["text"]?.text ?? "text",
            isDeterministic: object["deterministic"] != .bool(false))
    }

    private static func policy(_ object: JSONObject) -> TableAccess.Policy? {
        guard let name = object["name"]?.text else { return nil }
        let reach = object["reach"]?.object.map(Reach.init)
        return TableAccess.Policy(
            name: name, isPermissive: object["permissive"] == .bool(true),
            roles: (object["roles"]?.array ?? []).compactMap(\.unsigned),
            expression: object["expression"]?.text,
            relations: Set(reach?.relations.map(\.oid) ?? []), isPure: reach?.isPure ?? false,
            claims: reach.flatMap { $0.isPure ? ClaimsUse(of: $0.texts) : nil } ?? .all)
    }

    private static func tableQuery(_ condition: SQL) -> SQL {
        """
        select json_build_object(
            'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname,
            'secured', c.relrowsecurity, 'forced', c.relforcerowsecurity,
            'columns', (
                select json_agg(json_build_object(
                    'name', a.attname, 'type', a.atttypid::bigint, 'base', b.oid::bigint,
                    'element', case when b.typcategory = 'A' then b.typelem::bigint else 0 end,
                    'enum', b.typtype = 'e', 'text', format_type(a.atttypid, a.atttypmod),
                    'deterministic', coalesce(l.collisdeterministic, true)) order by a.attnum)
                from pg_attribute a
                    cross join lateral (
                        with recursive below (oid, base, typtype) as (
                            select t.oid, t.typbasetype, t.typtype from pg_type t where t.oid = a.atttypid
                            union all
                            select t.oid, t.typbasetype, t.typtype
                            from below d join pg_type t on t.oid = d.base
                            where d.typtype = 'd'
                        ) select oid from below where typtype <> 'd') u
                    join pg_type b on b.oid = u.oid
                    left join pg_collation l on l.oid = a.attcollation
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
            'key', (
                select json_agg(a.attname order by k.position)
                from pg_index i
                    cross join lateral unnest(i.indkey::int2[]) with ordinality k (number, position)
                    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
                where i.indrelid = c.oid and i.indisprimary),
            'policies', (
                select json_agg(json_build_object(
                    'name', p.polname, 'permissive', p.polpermissive,
                    'roles', array(select u::bigint from unnest(p.polroles) u),
                    'expression', pg_get_expr(p.polqual, p.polrelid),
                    'reach', \(Reach.query(startingWith: "'p', p.oid"))) order by p.polname)
                from pg_policy p
                where p.polrelid = c.oid and p.polcmd in ('r', '*')))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where \(condition) and c.relkind in ('r', 'p', 'v', 'm', 'f')
        """
    }

    /// As PostgreSQL decides it: `check_enable_rls` and `check_role_for_policy` (rls.c, rowsecurity.c).
    private static func roleQuery(_ role: String, _ table: UInt32) -> SQL {
        """
        select json_build_object(
            'reads', has_schema_privilege(r.oid, c.relnamespace, 'usage')
                and has_any_column_privilege(r.oid, c.oid, 'select'),
            'bypasses', r.rolsuper or r.rolbypassrls
                or (pg_has_role(r.oid, c.relowner, 'usage') and not c.relforcerowsecurity),
            'columns', (
                select json_agg(has_column_privilege(r.oid, c.oid, a.attnum, 'select') order by a.attnum)
                from pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
            'policies', (
                select json_agg(exists (
                    select from unnest(p.polroles) u
                    where u = 0 or pg_has_role(r.oid, u, 'usage')) order by p.polname)
                from pg_policy p
                where p.polrelid = c.oid and p.polcmd in ('r', '*')))
        from pg_class c, pg_roles r
        where c.oid = \(bind: Int(table))::oid and r.rolname = \(bind: role)
        """
    }
}

extension JSONValue {
    /// A number that is an object id.
    var unsigned: UInt32? {
        if case .number(let text) = self { UInt32(text) } else { nil }
    }
}
