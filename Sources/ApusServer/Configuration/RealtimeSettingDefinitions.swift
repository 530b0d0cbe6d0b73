extension SettingDefinition {
    static let realtime: [SettingDefinition] = [
        .init(
            "realtime-enabled", .boolean, "true", "Whether changes are followed by logical replication."),
        .init(
            "realtime-db-uri", .string, nil,
            "Connection string of a role with REPLICATION; default: db-admin-uri, then db-uri.",
            isSecret: true),
        .init(
            "realtime-slot", .string, nil,
            "Name of the replication slot; default: apus_ and the database's object id."),
        .init("realtime-publication", .string, "apus", "Name of the publication."),
        .init(
            "realtime-schemas", .list, nil,
            "Schemas whose tables are published, besides db-schemas, auth and realtime."),
        .init(
            "realtime-log-size", .integer(1_048_576...68_719_476_736), "33554432",
            "Most memory of the recent transactions that clients resume from, in bytes."),
        .init(
            "realtime-resume-window", .integer(0...3_600), "60",
            "Seconds that clients can resume over a restart of Apus."),
        .init(
            "realtime-spill-dir", .string, "/tmp", "Directory for large transactions in progress."),
        .init(
            "realtime-bus-uri", .string, nil,
            "Redis that joins the nodes (redis://, rediss://); default: one node.", isSecret: true),
        .init(
            "realtime-bus-prefix", .string, "apus",
            "Before every name in Redis, for installations that share one."),
    ]

    static let live: [SettingDefinition] = [
        .init(
            "cache-enabled", .boolean, "true",
            "Whether answers are kept until the change feed shows a change."),
        .init(
            "cache-size", .integer(65_536...68_719_476_736), "67108864",
            "Most memory of kept answers, in bytes."),
        .init("live-max-streams", .integer(0...1_000_000), "10000", "Reads that are followed at once."),
        .init(
            "live-max-wait", .integer(0...3_600), "60",
            "Longest wait that Prefer: wait may ask for, in seconds."),
        .init("live-prefix", .string, "/live/v1", "Path of the WebSocket that follows many reads."),
        .init(
            "live-max-follows", .integer(1...100_000), "100",
            "Reads that one WebSocket of live-prefix may follow."),
        .init(
            "live-max-messages", .integer(0...1_000_000), "200",
            "Messages that one WebSocket of live-prefix may send in a second; 0: no limit."),
        .init(
            "live-max-message", .integer(1_024...16_777_216), "65536",
            "Largest message to live-prefix, in bytes."),
        .init(
            "live-max-result", .integer(1_024...1_073_741_824), "4194304",
            "Largest result of a read that is followed, in bytes."),
        .init(
            "live-queue", .integer(65_536...1_073_741_824), "4194304",
            "Bytes that may wait for a follower that reads slowly; over it its connection ends."),
    ]
}
