extension SystemStep {
    /// The identity provider: clients, authorizations under way, consents, browsers that are signed in. Names are
    /// GoTrue's where it has them.
    static let authOAuth = SystemStep(
        number: 32, name: "auth identity provider",
        sql: types + clients + authorizations + sessions
            + authAccess(["oauth_clients", "oauth_authorizations", "oauth_consents", "oauth_browsers"]),
        lackOfPrivilege: .isNotice,
        remedy:
            "Connect as the owner of schema auth and run apus migrate up. Until then there is no identity provider.",
        needs: [21, 22])

    private static let types = #"""
        do $do$
        begin
            if to_regtype('auth.oauth_registration_type') is null then
                create type auth.oauth_registration_type as enum ('dynamic', 'manual');
            end if;
            if to_regtype('auth.oauth_client_type') is null then
                create type auth.oauth_client_type as enum ('public', 'confidential');
            end if;
            if to_regtype('auth.oauth_authorization_status') is null then
                create type auth.oauth_authorization_status as enum ('pending', 'approved', 'denied', 'expired');
            end if;
            if to_regtype('auth.oauth_response_type') is null then
                create type auth.oauth_response_type as enum ('code');
            end if;
        end
        $do$;

        """#

    private static let clients = #"""
        create table if not exists auth.oauth_clients (
            id uuid not null primary key default gen_random_uuid(),
            client_secret_hash text,
            registration_type auth.oauth_registration_type not null,
            redirect_uris text not null,
            grant_types text not null,
            client_name text check (char_length(client_name) <= 1024),
            client_uri text check (char_length(client_uri) <= 2048),
            logo_uri text check (char_length(logo_uri) <= 2048),
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            deleted_at timestamptz,
            client_type auth.oauth_client_type not null default 'confidential'
        );
        alter table auth.oauth_clients
            add column if not exists token_endpoint_auth_method text not null default 'client_secret_basic',
            add column if not exists scope text,
            add column if not exists resources text[] not null default '{}',
            add column if not exists skips_consent boolean not null default false;
        create index if not exists oauth_clients_deleted_at_idx on auth.oauth_clients (deleted_at);

        """#

    private static let authorizations = #"""
        create table if not exists auth.oauth_authorizations (
            id uuid not null primary key default gen_random_uuid(),
            authorization_id text not null unique,
            client_id uuid not null references auth.oauth_clients (id) on delete cascade,
            user_id uuid references auth.users (id) on delete cascade,
            redirect_uri text not null,
            scope text not null,
            state text,
            resource text,
            code_challenge text,
            code_challenge_method auth.code_challenge_method,
            response_type auth.oauth_response_type not null default 'code',
            status auth.oauth_authorization_status not null default 'pending',
            authorization_code text unique,
            created_at timestamptz not null default now(),
            expires_at timestamptz not null default now() + interval '3 minutes',
            approved_at timestamptz,
            nonce text
        );
        alter table auth.oauth_authorizations
            add column if not exists browser bytea,
            add column if not exists prompt text not null default '',
            add column if not exists max_age integer,
            add column if not exists login_hint text,
            add column if not exists expected_user uuid,
            add column if not exists auth_time timestamptz,
            add column if not exists aal auth.aal_level,
            add column if not exists methods text not null default '',
            add column if not exists used_at timestamptz,
            add column if not exists session_id uuid;
        create index if not exists oauth_authorizations_expires_at_idx on auth.oauth_authorizations (expires_at);
        create table if not exists auth.oauth_consents (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid not null references auth.users (id) on delete cascade,
            client_id uuid not null references auth.oauth_clients (id) on delete cascade,
            scopes text not null,
            granted_at timestamptz not null default now(),
            revoked_at timestamptz,
            constraint oauth_consents_user_client_unique unique (user_id, client_id)
        );

        """#

    /// A browser that signed in on the provider's own pages: the digest of its cookie, and the session it has.
    private static let sessions = #"""
        alter table auth.sessions
            add column if not exists oauth_resource text,
            add column if not exists oauth_auth_time timestamptz,
            add column if not exists refresh_token_floor bigint;
        create index if not exists sessions_oauth_client_id_idx on auth.sessions (oauth_client_id)
            where oauth_client_id is not null;
        create table if not exists auth.oauth_browsers (
            browser bytea not null primary key,
            session_id uuid not null references auth.sessions (id) on delete cascade,
            signed_in_at timestamptz not null default now()
        );
        create index if not exists oauth_browsers_session_id_idx on auth.oauth_browsers (session_id);

        """#
}
