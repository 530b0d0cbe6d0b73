extension SystemStep {
    /// Schema `auth` with the functions that policies written for Supabase call.
    ///
    /// What exists already stays, whoever owns it. Bodies are of the SQL-standard form: parsed once, so no
    /// `search_path` of a caller changes their meaning, and still inlined into policies. A setting that was
    /// local to an earlier transaction reads as an empty string, which counts as missing. Claims as one JSON
    /// object win over the one-setting-per-claim form of PostgREST before version 9.
    static let authFunctions = SystemStep(
        number: 4, name: "auth functions",
        sql: #"""
            do $do$
            declare
                wanted text;
            begin
                if to_regnamespace('auth') is null then
                    create schema auth;
                end if;
                if to_regprocedure('auth.jwt()') is null then
                    create function auth.jwt() returns jsonb language sql stable parallel safe
                    return coalesce(
                        nullif(current_setting('request.jwt.claims', true), ''),
                        nullif(current_setting('request.jwt.claim', true), ''))::jsonb;
                    comment on function auth.jwt() is 'All claims of the caller''s token; null without one.';
                end if;
                if to_regprocedure('auth.uid()') is null then
                    create function auth.uid() returns uuid language sql stable parallel safe
                    return nullif(coalesce(
                        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub',
                        current_setting('request.jwt.claim.sub', true)), '')::uuid;
                    comment on function auth.uid() is 'Id of the calling user (claim sub); null for nobody.';
                end if;
                if to_regprocedure('auth.role()') is null then
                    create function auth.role() returns text language sql stable parallel safe
                    return nullif(coalesce(
                        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role',
                        current_setting('request.jwt.claim.role', true)), '');
                    comment on function auth.role() is 'Role that the caller''s token names; null without one.';
                end if;
                if to_regprocedure('auth.email()') is null then
                    create function auth.email() returns text language sql stable parallel safe
                    return nullif(coalesce(
                        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email',
                        current_setting('request.jwt.claim.email', true)), '');
                    comment on function auth.email() is 'Mail address of the calling user; null without one.';
                end if;
                foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
                    if not has_schema_privilege(wanted, 'auth', 'usage') then
                        execute format('grant usage on schema auth to %I', wanted);
                    end if;
                end loop;
            end
            $do$
            """#,
        remedy: """
            Connect as the owner of the database (CREATE on it), or as the owner of schema auth when that exists.
            """)
}
