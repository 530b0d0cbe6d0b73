extension SystemStep {
    /// Which unbroken stretch of the change feed this is, by replication slot: grows when a slot had to be made.
    static let feedEpochs = SystemStep(
        number: 50, name: "epochs of the change feed",
        sql: """
            create table if not exists apus.feed_epochs (
                slot text primary key,
                epoch bigint not null,
                began_at timestamptz not null default now()
            );
            revoke all on apus.feed_epochs from public;
            """,
        lackOfPrivilege: .isNotice,
        remedy: "Without it, there is no change feed. Run apus migrate up as the owner.")
}
