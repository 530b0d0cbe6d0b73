extension SystemStep {
    /// The roles that a request may take, and the one that Apus connects as.
    ///
    /// Roles belong to the whole cluster while the migration lock belongs to one database, so another database
    /// of the cluster may create the same role at this very moment: that is as good as having created it.
    static let roles = SystemStep(
        number: 1, name: "roles",
        sql: #"""
            do $do$
            declare
                wanted record;
            begin
                for wanted in
                    select * from (values
                        ('anon', 'nologin noinherit'),
                        ('authenticated', 'nologin noinherit'),
                        ('service_role', 'nologin noinherit'),
                        ('authenticator', 'login noinherit')) as role(name, attributes)
                loop
                    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
                        begin
                            execute pg_catalog.format('create role %I %s', wanted.name, wanted.attributes);
                        exception when duplicate_object or unique_violation then
                            null;
                        end;
                    end if;
                end loop;
            end
            $do$
            """#,
        remedy: """
            Connect as a role with CREATEROLE, or let one run: create role anon nologin noinherit; \
            create role authenticated nologin noinherit; create role service_role nologin noinherit bypassrls; \
            create role authenticator login noinherit;
            """)

    /// `authenticator` may become the three roles, and has nothing of theirs until it does (noinherit).
    static let memberships = SystemStep(
        number: 2, name: "memberships",
        sql: #"""
            do $do$
            declare
                -- From 16 on a membership may come without the right to SET ROLE.
                needed constant text :=
                    case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
                wanted text;
            begin
                foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
                    if not pg_catalog.pg_has_role('authenticator', wanted, needed) then
                        execute pg_catalog.format('grant %I to authenticator', wanted);
                    end if;
                end loop;
            end
            $do$
            """#,
        remedy: """
            Let a role with ADMIN OPTION on them (before PostgreSQL 16, with CREATEROLE) run: \
            grant anon, authenticated, service_role to authenticator;
            """)

    /// The role that migrates may become the three roles too: on a managed database it is often the only one
    /// there is a password for, so Apus also serves as it. Without inheritance where the server can say so.
    static let ownMemberships = SystemStep(
        number: 3, name: "own memberships",
        sql: #"""
            do $do$
            declare
                has_options constant boolean := current_setting('server_version_num')::int >= 160000;
                wanted text;
            begin
                foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
                    if not pg_catalog.pg_has_role(wanted, case when has_options then 'SET' else 'MEMBER' end) then
                        execute pg_catalog.format(
                            'grant %I to %I%s', wanted, current_user,
                            case when has_options then ' with inherit false, set true' end);
                    end if;
                end loop;
            end
            $do$
            """#,
        lackOfPrivilege: .isNotice,
        remedy: """
            Needed only where Apus serves as this role and not as authenticator. Let a role with ADMIN OPTION run: \
            grant anon, authenticated, service_role to the role that Apus connects as;
            """)

    /// `service_role` passes row level security. Before PostgreSQL 16 only a superuser can give that; from 16 on,
    /// a role with CREATEROLE that has it itself.
    static let serviceRoleBypass = SystemStep(
        number: 6, name: "service_role bypasses row level security",
        sql: #"""
            do $do$
            begin
                if not (select rolbypassrls or rolsuper from pg_catalog.pg_roles where rolname = 'service_role') then
                    alter role service_role bypassrls;
                end if;
            end
            $do$
            """#,
        lackOfPrivilege: .isNotice,
        remedy: """
            Until then row level security holds for service_role as for any role. Let a superuser run: \
            alter role service_role bypassrls;
            """)
}
