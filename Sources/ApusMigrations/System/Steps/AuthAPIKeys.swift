extension SystemStep {
    /// Keys of apps and backends, each with a name, of which only a digest is kept. Whoever changes them, by command or by
    /// hand, tells all nodes.
    static let authAPIKeys = SystemStep(
        number: 33, name: "auth API keys",
        sql: #"""
            create table if not exists auth.api_keys (
                id uuid not null primary key default gen_random_uuid(),
                name text not null check (char_length(name) between 1 and 64),
                role text not null,
                digest bytea not null unique check (octet_length(digest) = 32),
                created_at timestamptz not null default now(),
                expires_at timestamptz,
                last_used_at timestamptz,
                revoked_at timestamptz
            );
            create unique index if not exists api_keys_name_key on auth.api_keys (name) where revoked_at is null;
            create or replace function auth.announce_api_keys() returns trigger
                language plpgsql security definer set search_path = '' as $fn$
            begin
                perform pg_catalog.pg_notify('apus_auth', 'api keys');
                return null;
            end
            $fn$;
            revoke all on function auth.announce_api_keys() from public;
            create or replace trigger announce_api_keys
                after insert or delete or truncate or update of name, role, digest, expires_at, revoked_at
                on auth.api_keys for each statement execute function auth.announce_api_keys();

            """# + authAccess(["api_keys"]),
        lackOfPrivilege: .isNotice,
        remedy:
            "Connect as the owner of schema auth and run apus migrate up. Until then there are no API keys with names.",
        needs: [23])
}
