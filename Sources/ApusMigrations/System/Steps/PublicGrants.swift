extension SystemStep {
    /// What the three roles may do with objects that the migrating role creates in schema `public` from now on.
    ///
    /// As on Supabase, a table is open to `anon` and `authenticated` and its row level security decides; what
    /// exists already is not opened. Unlike there, they do not get TRUNCATE, which no policy can hold back, nor
    /// REFERENCES and TRIGGER.
    static let publicGrants = SystemStep(
        number: 5, name: "grants in public",
        sql: #"""
            do $do$
            declare
                wanted text;
            begin
                if to_regnamespace('public') is null then
                    return;
                end if;
                foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
                    if not has_schema_privilege(wanted, 'public', 'usage') then
                        execute format('grant usage on schema public to %I', wanted);
                    end if;
                end loop;
                alter default privileges in schema public
                    grant select, insert, update, delete on tables to anon, authenticated;
                alter default privileges in schema public
                    grant usage, select on sequences to anon, authenticated;
                alter default privileges in schema public grant all on tables to service_role;
                alter default privileges in schema public grant all on sequences to service_role;
                alter default privileges in schema public
                    grant execute on functions to anon, authenticated, service_role;
            end
            $do$
            """#,
        remedy: """
            Let the owner of schema public run: grant usage on schema public to anon, authenticated, service_role;
            """)
}
