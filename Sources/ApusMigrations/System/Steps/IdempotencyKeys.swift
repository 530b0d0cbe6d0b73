extension SystemStep {
    /// Where answers to requests with an idempotency key are kept. Only the role that Apus logs in as reaches it;
    /// the roles of requests do not.
    static let idempotencyKeys = SystemStep(
        number: 8, name: "idempotency keys",
        sql: """
            create table if not exists apus.idempotency_keys (
                scope text not null,
                key text not null,
                fingerprint bytea not null,
                status smallint not null,
                fields json not null,
                body bytea not null,
                created_at timestamptz not null default now(),
                expires_at timestamptz not null,
                primary key (scope, key)
            );
            create index if not exists idempotency_keys_expiry on apus.idempotency_keys (expires_at);
            revoke all on apus.idempotency_keys from public;
            grant usage on schema apus to authenticator;
            grant select, insert, update, delete on apus.idempotency_keys to authenticator;
            """,
        lackOfPrivilege: .isNotice,
        remedy: "Without it, requests with an Idempotency-Key are refused. Run apus migrate up as the owner.")
}
