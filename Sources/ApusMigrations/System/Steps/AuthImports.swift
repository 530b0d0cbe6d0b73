extension SystemStep {
    /// How far imports of users came.
    static let authImports = SystemStep(
        number: 31, name: "auth imports",
        sql: #"""
            create table if not exists auth.imports (
                source text not null,
                project text not null,
                fingerprint text not null,
                position bigint not null default 0,
                report jsonb not null default '{}',
                started_at timestamptz not null default now(),
                updated_at timestamptz not null default now(),
                finished_at timestamptz,
                primary key (source, project, fingerprint)
            );
            comment on table auth.imports is 'How far imports of users came; rows may be deleted.';

            """# + authAccess(["imports"]),
        lackOfPrivilege: .isNotice,
        remedy:
            "Connect as the owner of schema auth and run apus migrate up. Until then users cannot be imported.",
        needs: [20, 21])
}
