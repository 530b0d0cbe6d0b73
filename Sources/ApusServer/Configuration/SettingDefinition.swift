/// A setting that a person can give by flag (`--db-schemas`), environment (`APUS_DB_SCHEMAS`) or file
/// (`db-schemas`).
///
/// Names are PostgREST's where it has the setting, so that a configuration carries over.
package struct SettingDefinition: Sendable {
    /// What values a setting takes.
    package enum Kind: Sendable {
        case string
        case boolean
        /// A whole number in this range.
        case integer(ClosedRange<Int>)
        /// Comma-separated in flags and environment; a list or the same in a file.
        case list
        /// Numbers for roles, `anon=10000`, and one without name for all others; separated as a list.
        case costs
        /// One of these words.
        case choice([String])
    }

    /// As in flags and files, words joined by hyphens.
    package var name: String
    /// What values it takes; checked at the start.
    package var kind: Kind
    /// What holds when nobody sets it; nil for unset.
    package var fallback: String?
    /// One sentence for `--help` and `docs/configuration.md`.
    package var summary: String
    /// Never shown: not in logs, not in errors.
    package var isSecret: Bool
    /// Other names by which it may be given.
    package var aliases: [String]
    /// Further environment variables that set it, after `APUS_…`.
    package var environmentAliases: [String]

    init(
        _ name: String, _ kind: Kind, _ fallback: String? = nil, _ summary: String, isSecret: Bool = false,
        aliases: [String] = [], environmentAliases: [String] = []
    ) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.summary = summary
        self.isSecret = isSecret
        self.aliases = aliases
        self.environmentAliases = environmentAliases
    }

    /// Whether a flag that stands alone says nothing.
    var needsValue: Bool {
        if case .boolean = kind { return false }
        return true
    }

    /// `db-schemas` → `APUS_DB_SCHEMAS`
    package var environmentName: String {
        "APUS_" + name.uppercased().replacing("-", with: "_").replacing(".", with: "_")
    }
}

extension SettingDefinition {
    /// Every setting there is.
    package static let all: [SettingDefinition] =
        database + tokens + rest + authentication + factors + identityProvider + messages + hooks + realtime
        + channels + live
        + server + web
        + operation

    private static let database: [SettingDefinition] = [
        .init(
            "db-uri", .string, nil,
            "Connection string of the database; without it Apus runs a private PostgreSQL.",
            isSecret: true, environmentAliases: ["DATABASE_URL"]),
        .init(
            "db-admin-uri", .string, nil,
            "Connection string for migrations, as the owner of the schema; default: db-uri.",
            isSecret: true),
        .init(
            "db-schemas", .list, "public", "Schemas that the API shows; the first is the default.",
            aliases: ["db-schema"]),
        .init(
            "db-anon-role", .string, "anon",
            "Role of requests without a token; empty: such requests are refused."),
        .init(
            "db-open-tables", .list, nil,
            "Tables without row level security that db-anon-role is meant to reach, which nobody is warned of; *: all."
        ),
        .init("db-extra-search-path", .list, "public", "Schemas added to the search path of every request."),
        .init(
            "db-max-rows", .integer(0...Int.max), nil, "Most rows that a read returns.", aliases: ["max-rows"]
        ),
        .init(
            "db-pool", .integer(1...1_000), "10",
            "Connections to the database; for the private one, unless set, eight a processor (8 to 20)."),
        .init(
            "db-pool-acquisition-timeout", .integer(1...3_600), "10",
            "Seconds that a request waits for a connection."),
        .init(
            "db-pool-pipeline-depth", .integer(1...1_000), "32",
            "Requests in flight at once on one connection."),
        .init(
            "db-pool-queue", .integer(1...1_000_000), "10000",
            "Requests that may wait for a connection; over it they get 503."),
        .init(
            "db-statement-timeout", .integer(0...86_400), "30",
            "Seconds after which a request's statement is cancelled; 0: never."),
        .init(
            "db-max-cost", .costs, nil,
            "Most that a request's statement may cost, by PostgreSQL's estimate: anon=10000,authenticated=100000."
        ),
        .init(
            "db-pre-request", .string, nil, "Function called at the start of every request's transaction.",
            aliases: ["pre-request"]),
        .init(
            "db-pre-config", .string, nil,
            "Not supported: a function that returns settings kept in the database."),
        .init(
            "db-config", .boolean, "false",
            "Settings in the database (alter role … set pgrst.…) are not read; true is refused."),
        .init("db-channel", .string, "pgrst", "Channel on which reloads are asked for."),
        .init("db-channel-enabled", .boolean, "true", "Whether to listen on db-channel."),
        .init(
            "db-root-spec", .string, nil, "Function that answers the root instead of the OpenAPI document.",
            aliases: ["root-spec"]),
        .init("db-prepared-statements", .boolean, "true", "Off for poolers that cannot carry them."),
        .init(
            "db-gather-reads", .boolean, "true",
            "Whether short reads of one shape by one caller that come together become one statement."),
        .init(
            "db-share-inserts", .boolean, "true",
            "Whether inserts by one caller that come together commit together, where nobody can tell."),
        .init(
            "db-tx-end", .choice(["commit", "commit-allow-override", "rollback", "rollback-allow-override"]),
            "commit", "How the transaction of a request ends."),
        .init(
            "db-hoisted-tx-settings", .list,
            "statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation",
            "Settings of a function that its whole transaction gets."),
        .init("db-plan-enabled", .boolean, "false", "Whether clients may ask for execution plans."),
        .init("db-aggregates-enabled", .boolean, "false", "Whether clients may use aggregate functions."),
        .init("db-timezone-enabled", .boolean, "true", "Whether clients may choose a time zone."),
        .init(
            "db-request-settings", .choice(["auto", "all"]), "auto",
            "Which request.* settings are sent: those that the database reads, or all."),
    ]

    private static let tokens: [SettingDefinition] = [
        .init(
            "jwt-secret", .string, nil,
            "Secret, JWK or JWK set that tokens are verified with; @FILE reads a file.",
            isSecret: true),
        .init(
            "jwt-secret-is-base64", .boolean, "false", "Whether jwt-secret is base64.",
            aliases: ["secret-is-base64"]),
        .init("jwt-aud", .string, nil, "Audience that a token must name."),
        .init(
            "jwt-role-claim-key", .string, ".role", "Where a token names its role.",
            aliases: ["role-claim-key"]),
        .init("jwt-cache-max-entries", .integer(0...10_000_000), "1000", "Verified tokens kept; 0: none."),
    ]

    private static let rest: [SettingDefinition] = [
        .init("rest-prefix", .string, "/rest/v1", "Path before the REST dialect."),
        .init(
            "openapi-mode", .choice(["follow-privileges", "ignore-privileges", "disabled"]),
            "follow-privileges", "What the OpenAPI document shows."),
        .init(
            "openapi-security-active", .boolean, "false", "Whether the document declares a security scheme."),
        .init("openapi-server-proxy-uri", .string, nil, "Public URL of the API, for the document."),
        .init(
            "batch-max-requests", .integer(1...10_000), "100", "Most requests in one call of $batch."),
        .init(
            "batch-max-bytes", .integer(1...1_000_000_000), "16777216",
            "Most bytes of the answers in a $batch, and of what its references bring in."),
        .init(
            "idempotency-lifetime", .integer(1...31_536_000), "86400",
            "Seconds that the answer to a request with an Idempotency-Key is kept."),
        .init(
            "client-error-verbosity", .choice(["verbose", "minimal"]), "verbose",
            "Whether errors carry details and hints."),
        .init(
            "url-use-legacy-target-names", .boolean, "true",
            "Whether filters on an aliased embed may use its relation's name."),
    ]

    private static let server: [SettingDefinition] = [
        .init("server-host", .string, "127.0.0.1", "Address to listen on; !4, !6 and * for all of a kind."),
        .init("server-port", .integer(0...65_535), "3000", "Port to listen on; 0 lets the system choose."),
        .init(
            "server-cors-allowed-origins", .list, nil, "Origins that browsers may call from; default: all."),
        .init("server-trace-header", .string, nil, "Header of a request that is returned with its answer."),
        .init("server-timing-enabled", .boolean, "false", "Whether answers carry Server-Timing."),
        .init(
            "server-threads", .integer(1...1_024), nil,
            "Event loops; default: half the processors, at least one."),
        .init(
            "server-scheduling", .choice(["batch", "normal"]), "batch",
            "Class of the threads on Linux; batch: SCHED_BATCH, more requests with fewer changes of threads."),
        .init("server-max-body", .integer(0...2_147_483_647), "67108864", "Largest request body, in bytes."),
        .init("server-max-url", .integer(256...16_777_216), "65536", "Longest URL, in bytes."),
        .init("server-max-header", .integer(1_024...1_048_576), "65536", "Largest header, in bytes."),
        .init(
            "server-read-timeout", .integer(1...3_600), "60",
            "Seconds from the first byte of a request to its last; over it the answer is 408."),
        .init(
            "server-idle-timeout", .integer(1...86_400), "75",
            "Seconds that a connection may be open without a request."),
        .init("server-max-connections", .integer(1...1_000_000), "20000", "Connections at once."),
        .init(
            "server-trusted-hops", .integer(0...16), "0",
            "Proxies in front whose X-Forwarded-For is believed, counted from the right."),
        .init(
            "server-drain-timeout", .integer(0...3_600), "25",
            "Seconds that a stop waits for requests in flight."),
        .init("server-tls-certificate", .string, nil, "PEM file of the certificate chain; turns TLS on."),
        .init("server-tls-key", .string, nil, "PEM file of the private key."),
    ]

    private static let web: [SettingDefinition] = [
        .init("web-root", .string, nil, "Folder whose files are served at /, behind everything else."),
        .init(
            "web-max-file", .integer(0...1_073_741_824), "16777216", "Largest file that is served, in bytes."),
        .init(
            "web-csp", .string,
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            "Content-Security-Policy of these files."),
    ]

    private static let operation: [SettingDefinition] = [
        .init("data-dir", .string, ".apus", "Directory of the private PostgreSQL."),
        .init("postgres-bin", .string, nil, "Directory of the PostgreSQL programs for the private database."),
        .init("migrations", .string, nil, "Directory of migrations that are applied at the start."),
        .init("seed", .string, nil, "File or directory of SQL that fills a new database once."),
        .init(
            "log-level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
            "info",
            "Least severe entry that is logged."),
        .init(
            "log-format", .choice(["auto", "text", "json"]), "auto",
            "auto: text on a terminal, JSON otherwise."),
        .init(
            "log-slow-request", .integer(0...3_600_000), "1000",
            "Milliseconds after which a request is logged as slow; 0: never."),
    ]
}
