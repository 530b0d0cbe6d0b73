extension SystemStep {
    /// Keys that sign and secrets that seal, all of them encrypted with a key that is not in the database; which
    /// sessions ended before their tokens did; how often somebody tried; what happened.
    static let authKeys = SystemStep(
        number: 23, name: "auth keys, revocations, limits, audit",
        sql: keys + revocations + limits + audit
            + authAccess([
                "signing_keys", "sealed_secrets", "revocations", "rate_limits", "sign_in_tries",
                "audit_log_entries", "audit_subjects",
            ])
                + """
                revoke update, delete on auth.audit_log_entries from auth_admin;
                grant update (number, link) on auth.audit_log_entries to auth_admin;
                """,
        lackOfPrivilege: .isNotice,
        remedy: "Connect as the owner of schema auth and run apus migrate up. Until then nobody can sign in.",
        needs: [21, 22])

    private static let keys = #"""
        create table if not exists auth.signing_keys (
            id text not null primary key,
            algorithm text not null,
            state text not null check (state in ('standby', 'current', 'previous', 'revoked')),
            public_key jsonb not null,
            private_key bytea not null,
            created_at timestamptz not null default now(),
            changed_at timestamptz not null default now()
        );
        create unique index if not exists signing_keys_current on auth.signing_keys (state) where state = 'current';
        create table if not exists auth.sealed_secrets (
            name text not null primary key,
            secret bytea not null,
            created_at timestamptz not null default now()
        );

        """#

    /// A node that was away reads what it missed by transaction id: unlike a sequence, a snapshot's lower end cannot
    /// run ahead of a transaction that is still to commit.
    private static let revocations = #"""
        create table if not exists auth.revocations (
            session_id uuid not null primary key,
            revoked_at timestamptz not null default clock_timestamp(),
            transaction xid8 not null default pg_current_xact_id()
        );
        create index if not exists revocations_transaction_idx on auth.revocations (transaction);
        create index if not exists revocations_revoked_at_idx on auth.revocations (revoked_at);
        create or replace function auth.revoke_sessions() returns trigger
            language plpgsql security definer set search_path = '' as $fn$
        begin
            insert into auth.revocations (session_id) select id from ended
                on conflict (session_id) do nothing;
            if found then
                perform pg_catalog.pg_notify('apus_auth', 'revoked');
            end if;
            return null;
        end
        $fn$;
        revoke all on function auth.revoke_sessions() from public;
        create or replace trigger revoke_sessions after delete on auth.sessions
            referencing old table as ended for each statement execute function auth.revoke_sessions();

        """#

    /// Not logged: after a crash everybody has all their tries again, and counting costs no wait for a disk.
    private static let limits = #"""
        create unlogged table if not exists auth.rate_limits (
            scope text not null,
            subject text not null,
            full_at timestamptz not null,
            primary key (scope, subject)
        );
        create index if not exists rate_limits_full_at_idx on auth.rate_limits (full_at);
        create unlogged table if not exists auth.sign_in_tries (
            account text not null,
            address text not null,
            tries integer not null,
            tried_at timestamptz not null default clock_timestamp(),
            waits_until timestamptz not null,
            primary key (account, address)
        );

        """#

    private static let audit = #"""
        create table if not exists auth.audit_log_entries (
            instance_id uuid,
            id uuid not null primary key default gen_random_uuid(),
            payload json,
            created_at timestamptz default now(),
            ip_address varchar(64) not null default ''
        );
        alter table auth.audit_log_entries
            add column if not exists number bigint,
            add column if not exists link bytea;
        create unique index if not exists audit_log_entries_number_key on auth.audit_log_entries (number);
        create index if not exists audit_log_entries_unlinked on auth.audit_log_entries (created_at, id)
            where number is null;
        create table if not exists auth.audit_subjects (
            user_id uuid not null primary key references auth.users (id) on delete cascade,
            pseudonym uuid not null default gen_random_uuid()
        );
        insert into auth.audit_subjects (user_id) select id from auth.users on conflict do nothing;
        create or replace function auth.name_audit_subjects() returns trigger
            language plpgsql security definer set search_path = '' as $fn$
        begin
            insert into auth.audit_subjects (user_id) select id from made on conflict do nothing;
            return null;
        end
        $fn$;
        revoke all on function auth.name_audit_subjects() from public;
        create or replace trigger name_audit_subjects after insert on auth.users
            referencing new table as made for each statement execute function auth.name_audit_subjects();

        """#
}
