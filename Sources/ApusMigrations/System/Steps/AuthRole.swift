extension SystemStep {
    /// The role that authentication works as. It reaches schema `auth` and nothing else; the role that Apus logs in
    /// as may become it.
    static let authRole = SystemStep(
        number: 20, name: "auth role",
        sql: #"""
            do $do$
            declare
                has_options constant boolean := current_setting('server_version_num')::int >= 160000;
                needed constant text := case when has_options then 'SET' else 'MEMBER' end;
            begin
                if not exists (select from pg_catalog.pg_roles where rolname = 'auth_admin') then
                    begin
                        create role auth_admin nologin noinherit;
                    exception when duplicate_object or unique_violation then
                        null;
                    end;
                end if;
                if not pg_catalog.pg_has_role('authenticator', 'auth_admin', needed) then
                    grant auth_admin to authenticator;
                end if;
            end
            $do$
            """#,
        lackOfPrivilege: .isNotice,
        remedy: """
            Without it nobody can sign in. Let a role with CREATEROLE run: create role auth_admin nologin noinherit; \
            grant auth_admin to authenticator;
            """)

    /// The role that migrates may become it too, because Apus may also serve as that one.
    static let authOwnMembership = SystemStep(
        number: 24, name: "own membership in the auth role",
        sql: #"""
            do $do$
            declare
                has_options constant boolean := current_setting('server_version_num')::int >= 160000;
            begin
                if not pg_catalog.pg_has_role('auth_admin', case when has_options then 'SET' else 'MEMBER' end) then
                    execute pg_catalog.format(
                        'grant auth_admin to %I%s', current_user,
                        case when has_options then ' with inherit false, set true' end);
                end if;
            end
            $do$
            """#,
        lackOfPrivilege: .isNotice,
        remedy: """
            Needed only where Apus serves as this role and not as authenticator. Let a role with ADMIN OPTION run: \
            grant auth_admin to the role that Apus connects as;
            """,
        needs: [20])

    /// Statements that let the role of authentication work with a table of schema `auth`, and nobody else: row
    /// security is on, and its one policy is for that role.
    static func authAccess(_ tables: [String]) -> String {
        tables.map { table in
            """
            alter table auth.\(table) enable row level security;
            grant select, insert, update, delete on auth.\(table) to auth_admin;
            drop policy if exists auth_admin_works on auth.\(table);
            create policy auth_admin_works on auth.\(table) to auth_admin using (true) with check (true);

            """
        }.joined()
    }
}
