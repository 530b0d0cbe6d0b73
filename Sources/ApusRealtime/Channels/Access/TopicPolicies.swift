import ApusJSON
package import ApusPostgres
import ApusSQL

/// The policies on `realtime.messages` that bind one role, as the expressions that PostgreSQL prints.
struct TopicPolicies: Sendable {
    /// Over a row of `realtime.messages`; nil when every row may be selected.
    var read: SQL?
    /// The same for inserting.
    var write: SQL?

    /// - Returns: nil when there is no such table, or the role may not use it.
    static func read(of role: String, from database: Database) async throws(PostgresFault) -> TopicPolicies? {
        var binds = Binds()
        binds.append(text: role.utf8)
        let rows = try await database.execute(
            RoundTrip(
                steps: [
                    // With it, every name in an expression comes out qualified.
                    .init(Statement(text: narrowPath), keepsRows: false),
                    .init(Statement(text: query, binds: binds)),
                ], isReadOnly: true)
        ).first
        guard let text = rows?.string(0, 0), let object = (try? JSONReader.read(Array(text.utf8)))?.object,
            object["usable"] == .bool(true)
        else { return nil }
        guard object["secured"] == .bool(true) else { return TopicPolicies() }
        let policies = (object["policies"]?.array ?? []).compactMap(\.object)
        return TopicPolicies(
            read: condition(policies, command: "r", expression: "using"),
            write: condition(policies, command: "a", expression: "check"))
    }

    // MARK: - Non public

    /// Any permissive policy and every restrictive one (PostgreSQL, CREATE POLICY).
    private static func condition(_ policies: [JSONObject], command: String, expression: String) -> SQL {
        var permissive: [SQL] = []
        var restrictive: [SQL] = []
        for policy in policies where policy["command"]?.text == command || policy["command"]?.text == "*" {
            // A policy for all commands without a check of its own checks what it filters by.
            let text = policy[expression]?.text ?? policy["using"]?.text ?? "true"
            let condition: SQL = "(\(SQL(trusted: text)))"
            if policy["permissive"] == .bool(true) {
                permissive.append(condition)
            } else {
                restrictive.append(condition)
            }
        }
        guard !permissive.isEmpty else { return "false" }
        return (["(\(permissive.joined(separator: " or ")))"] + restrictive).joined(separator: " and ")
    }

    private static let narrowPath = StatementText(
        "select pg_catalog.set_config('search_path', 'pg_catalog', true)")

    /// Whether row security holds for a role: superusers, `bypassrls` and, unless forced, owners are free of it.
    private static let query = StatementText(
        """
        select json_build_object(
            'usable', has_schema_privilege(r.oid, c.relnamespace, 'usage'),
            'secured', c.relrowsecurity and not (r.rolsuper or r.rolbypassrls)
                and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage')),
            'policies', (
                select json_agg(json_build_object(
                    'permissive', p.polpermissive, 'command', p.polcmd,
                    'using', pg_get_expr(p.polqual, p.polrelid),
                    'check', pg_get_expr(p.polwithcheck, p.polrelid)))
                from pg_policy p
                where p.polrelid = c.oid and exists (
                    select from unnest(p.polroles) u (oid)
                    where u.oid = 0 or pg_has_role(r.oid, u.oid, 'usage'))))
        from pg_class c, pg_roles r
        where c.oid = to_regclass('realtime.messages') and r.rolname = $1
        """)
}
