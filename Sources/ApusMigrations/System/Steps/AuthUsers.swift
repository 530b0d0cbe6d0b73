extension SystemStep {
    /// Who there is and who is signed in. Names are GoTrue's, because policies, foreign keys and triggers of existing
    /// projects refer to them; a database that comes from there keeps its tables and gets what is missing.
    static let authUsers = SystemStep(
        number: 21, name: "auth users and sessions",
        sql: "grant usage on schema auth to auth_admin;\n" + users + identities + sessions
            + authAccess(["users", "identities", "sessions"]),
        lackOfPrivilege: .isNotice,
        remedy: "Connect as the owner of schema auth and run apus migrate up. Until then nobody can sign in.",
        needs: [20])

    private static let users = #"""
        create table if not exists auth.users (
            instance_id uuid,
            id uuid not null primary key default gen_random_uuid(),
            aud varchar(255),
            role varchar(255),
            email varchar(255),
            encrypted_password varchar(255),
            email_confirmed_at timestamptz,
            invited_at timestamptz,
            confirmation_token varchar(255) default '',
            confirmation_sent_at timestamptz,
            recovery_token varchar(255) default '',
            recovery_sent_at timestamptz,
            email_change_token_new varchar(255) default '',
            email_change varchar(255) default '',
            email_change_sent_at timestamptz,
            last_sign_in_at timestamptz,
            raw_app_meta_data jsonb,
            raw_user_meta_data jsonb,
            is_super_admin boolean,
            created_at timestamptz default now(),
            updated_at timestamptz default now(),
            phone text unique,
            phone_confirmed_at timestamptz,
            phone_change text default '',
            phone_change_token varchar(255) default '',
            phone_change_sent_at timestamptz,
            confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
            email_change_token_current varchar(255) default '',
            email_change_confirm_status smallint default 0
                check (email_change_confirm_status between 0 and 2),
            banned_until timestamptz,
            reauthentication_token varchar(255) default '',
            reauthentication_sent_at timestamptz,
            is_sso_user boolean not null default false,
            deleted_at timestamptz,
            is_anonymous boolean not null default false
        );
        create unique index if not exists users_email_partial_key on auth.users (email)
            where is_sso_user = false;
        create index if not exists users_created_at_idx on auth.users (created_at, id);
        comment on table auth.users is 'Who there is. Written by authentication; refer to it, do not change it.';

        """#

    private static let identities = #"""
        create table if not exists auth.identities (
            provider_id text not null,
            user_id uuid not null references auth.users (id) on delete cascade,
            identity_data jsonb not null,
            provider text not null,
            last_sign_in_at timestamptz,
            created_at timestamptz default now(),
            updated_at timestamptz default now(),
            email text generated always as (lower(identity_data ->> 'email')) stored,
            id uuid not null primary key default gen_random_uuid(),
            constraint identities_provider_id_provider_unique unique (provider_id, provider)
        );
        create index if not exists identities_user_id_idx on auth.identities (user_id);
        create index if not exists identities_email_idx on auth.identities (email text_pattern_ops);
        comment on table auth.identities is 'By what a user is known: an address, a number, an account elsewhere.';

        """#

    private static let sessions = #"""
        do $do$
        begin
            if to_regtype('auth.aal_level') is null then
                create type auth.aal_level as enum ('aal1', 'aal2', 'aal3');
            end if;
        end
        $do$;
        create table if not exists auth.sessions (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid not null references auth.users (id) on delete cascade,
            created_at timestamptz default now(),
            updated_at timestamptz default now(),
            factor_id uuid,
            aal auth.aal_level,
            not_after timestamptz,
            refreshed_at timestamp,
            user_agent text,
            ip inet,
            tag text
        );
        alter table auth.sessions
            add column if not exists oauth_client_id uuid,
            add column if not exists scopes text,
            add column if not exists refresh_token_counter bigint;
        create index if not exists sessions_user_id_idx on auth.sessions (user_id, created_at);
        comment on table auth.sessions is 'Who is signed in where. Deleting a row signs out, everywhere, within a second.';

        """#
}
