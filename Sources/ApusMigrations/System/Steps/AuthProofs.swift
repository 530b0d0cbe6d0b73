extension SystemStep {
    /// By what a session was opened, and what still has to be proven: factors, one-time tokens, flows.
    static let authProofs = SystemStep(
        number: 22, name: "auth factors and one-time tokens",
        sql: types + factors + oneTimeTokens + flows
            + authAccess([
                "mfa_factors", "mfa_challenges", "mfa_amr_claims", "one_time_tokens", "flow_state",
            ]),
        lackOfPrivilege: .isNotice,
        remedy: "Connect as the owner of schema auth and run apus migrate up. Until then nobody can sign in.",
        needs: [21])

    private static let types = #"""
        do $do$
        begin
            if to_regtype('auth.factor_type') is null then
                create type auth.factor_type as enum ('totp', 'webauthn', 'phone');
            end if;
            if to_regtype('auth.factor_status') is null then
                create type auth.factor_status as enum ('unverified', 'verified');
            end if;
            if to_regtype('auth.code_challenge_method') is null then
                create type auth.code_challenge_method as enum ('s256', 'plain');
            end if;
            if to_regtype('auth.one_time_token_type') is null then
                create type auth.one_time_token_type as enum (
                    'confirmation_token', 'reauthentication_token', 'recovery_token', 'email_change_token_new',
                    'email_change_token_current', 'phone_change_token');
            end if;
        end
        $do$;

        """#

    private static let factors = #"""
        create table if not exists auth.mfa_factors (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid not null references auth.users (id) on delete cascade,
            friendly_name text,
            factor_type auth.factor_type not null,
            status auth.factor_status not null,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            secret text,
            phone text,
            last_challenged_at timestamptz unique,
            web_authn_credential jsonb,
            web_authn_aaguid uuid,
            last_webauthn_challenge_data jsonb
        );
        create index if not exists mfa_factors_user_id_idx on auth.mfa_factors (user_id);
        create unique index if not exists mfa_factors_user_friendly_name_unique
            on auth.mfa_factors (friendly_name, user_id) where trim(friendly_name) <> '';
        create table if not exists auth.mfa_challenges (
            id uuid not null primary key default gen_random_uuid(),
            factor_id uuid not null references auth.mfa_factors (id) on delete cascade,
            created_at timestamptz not null default now(),
            verified_at timestamptz,
            ip_address inet not null,
            otp_code text,
            web_authn_session_data jsonb
        );
        create index if not exists mfa_challenges_factor_id_idx on auth.mfa_challenges (factor_id);
        create table if not exists auth.mfa_amr_claims (
            session_id uuid not null references auth.sessions (id) on delete cascade,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            authentication_method text not null,
            id uuid not null primary key default gen_random_uuid(),
            constraint mfa_amr_claims_session_id_authentication_method_pkey
                unique (session_id, authentication_method)
        );

        """#

    /// A token is a link's 256 random bits, of which the digest is kept, or a code of a few digits, of which a keyed
    /// digest is kept; using one spends both, because they are one row.
    private static let oneTimeTokens = #"""
        create table if not exists auth.one_time_tokens (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid not null references auth.users (id) on delete cascade,
            token_type auth.one_time_token_type not null,
            token_hash text not null check (char_length(token_hash) > 0),
            relates_to text not null,
            created_at timestamp not null default now(),
            updated_at timestamp not null default now()
        );
        alter table auth.one_time_tokens
            add column if not exists purpose text,
            add column if not exists code_salt bytea,
            add column if not exists code_hash bytea,
            add column if not exists attempts smallint not null default 0,
            add column if not exists code_expires_at timestamptz,
            add column if not exists expires_at timestamptz,
            add column if not exists flow_state_id uuid;
        create unique index if not exists one_time_tokens_user_id_token_type_key
            on auth.one_time_tokens (user_id, token_type);
        create index if not exists one_time_tokens_token_hash_hash_idx
            on auth.one_time_tokens using hash (token_hash);
        create index if not exists one_time_tokens_relates_to_hash_idx
            on auth.one_time_tokens using hash (relates_to);

        """#

    private static let flows = #"""
        create table if not exists auth.flow_state (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid,
            auth_code text,
            code_challenge_method auth.code_challenge_method,
            code_challenge text,
            provider_type text not null,
            provider_access_token text,
            provider_refresh_token text,
            created_at timestamptz default now(),
            updated_at timestamptz default now(),
            authentication_method text not null,
            auth_code_issued_at timestamptz
        );
        alter table auth.flow_state
            alter column auth_code drop not null,
            alter column code_challenge drop not null,
            alter column code_challenge_method drop not null,
            add column if not exists invite_token text,
            add column if not exists referrer text,
            add column if not exists linking_target_id uuid,
            add column if not exists context jsonb not null default '{}',
            add column if not exists expires_at timestamptz,
            add column if not exists code_used_at timestamptz,
            add column if not exists session_id uuid;
        create index if not exists flow_state_created_at_idx on auth.flow_state (created_at desc);
        create unique index if not exists flow_state_auth_code_key on auth.flow_state (auth_code)
            where auth_code is not null;

        """#
}
