extension SystemStep {
    /// What second factors and passkeys keep beside GoTrue's tables: recovery codes, the step of the last accepted
    /// code, guesses, credentials.
    static let authFactors = SystemStep(
        number: 30, name: "auth recovery codes and passkeys",
        sql: recoveryCodes + passkeys
            + authAccess([
                "mfa_recovery_codes", "mfa_attempts", "webauthn_credentials", "webauthn_challenges",
            ]),
        lackOfPrivilege: .isNotice,
        remedy:
            "Connect as the owner of schema auth and run apus migrate up. Until then there are no passkeys.",
        needs: [22])

    /// `mfa_attempts`: guesses of one user's second factor, over all sessions and addresses. A row goes when a guess
    /// is right.
    private static let recoveryCodes = #"""
        alter type auth.factor_type add value if not exists 'recovery_code';
        alter table auth.mfa_factors add column if not exists last_totp_step bigint;
        alter table auth.mfa_challenges add column if not exists web_authn_session_data jsonb;
        create table if not exists auth.mfa_recovery_codes (
            factor_id uuid not null references auth.mfa_factors (id) on delete cascade,
            code_hash bytea not null,
            used_at timestamptz,
            created_at timestamptz not null default now(),
            primary key (factor_id, code_hash)
        );
        create table if not exists auth.mfa_attempts (
            user_id uuid not null primary key references auth.users (id) on delete cascade,
            failures integer not null default 0,
            locked_until timestamptz
        );

        """#

    private static let passkeys = #"""
        create table if not exists auth.webauthn_credentials (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid not null references auth.users (id) on delete cascade,
            credential_id bytea not null,
            public_key bytea not null,
            attestation_type text not null default '',
            aaguid uuid,
            sign_count bigint not null default 0,
            transports jsonb not null default '[]'::jsonb,
            backup_eligible boolean not null default false,
            backed_up boolean not null default false,
            friendly_name text not null default '',
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            last_used_at timestamptz
        );
        create unique index if not exists webauthn_credentials_credential_id_key
            on auth.webauthn_credentials (credential_id);
        create index if not exists webauthn_credentials_user_id_idx on auth.webauthn_credentials (user_id);
        create table if not exists auth.webauthn_challenges (
            id uuid not null primary key default gen_random_uuid(),
            user_id uuid references auth.users (id) on delete cascade,
            challenge_type text not null check (challenge_type in ('signup', 'registration', 'authentication')),
            session_data jsonb not null,
            created_at timestamptz not null default now(),
            expires_at timestamptz not null
        );
        create index if not exists webauthn_challenges_user_id_idx on auth.webauthn_challenges (user_id);
        create index if not exists webauthn_challenges_expires_at_idx on auth.webauthn_challenges (expires_at);

        """#
}
