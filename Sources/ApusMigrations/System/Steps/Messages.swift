extension SystemStep {
    /// Messages that wait to be sent, and those that came to a developer's inbox. The role of authentication puts
    /// messages in; the role that Apus logs in as takes them out. Roles of requests reach neither.
    static let messages = SystemStep(
        number: 40, name: "messages",
        sql: """
            create table if not exists apus.messages (
                id uuid primary key,
                channel text not null,
                kind text not null,
                user_id uuid,
                payload bytea,
                attempts int not null default 0,
                created_at timestamptz not null default now(),
                due_at timestamptz not null default now(),
                expires_at timestamptz not null,
                failed_at timestamptz,
                last_error text
            );
            create index if not exists messages_due on apus.messages (channel, due_at) where failed_at is null;
            comment on table apus.messages is 'Messages to people, until they are delivered. Payloads are encrypted.';
            create table if not exists apus.inbox (
                id uuid primary key,
                channel text not null,
                recipient text not null,
                subject text not null,
                body text not null,
                link text not null,
                code text not null,
                received_at timestamptz not null default clock_timestamp()
            );
            create index if not exists inbox_received_at on apus.inbox (received_at desc);
            comment on table apus.inbox is 'Messages of a development server, which sends none.';
            revoke all on apus.messages, apus.inbox from public;
            grant usage on schema apus to authenticator;
            grant select, insert, update, delete on apus.messages, apus.inbox to authenticator;
            do $do$
            begin
                if exists (select from pg_catalog.pg_roles where rolname = 'auth_admin') then
                    grant usage on schema apus to auth_admin;
                    grant insert on apus.messages to auth_admin;
                end if;
            end
            $do$
            """,
        lackOfPrivilege: .isNotice,
        remedy: "Without it no message is sent. Run apus migrate up as the owner.", needs: [20])
}
