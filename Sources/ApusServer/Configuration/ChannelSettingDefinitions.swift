extension SettingDefinition {
    /// Of channels (`/realtime/v1`).
    static let channels: [SettingDefinition] = [
        .init("realtime-prefix", .string, "/realtime/v1", "Path before the channels of Supabase Realtime."),
        .init("realtime-private-only", .boolean, "false", "Whether public channels are refused."),
        .init(
            "realtime-max-connections", .integer(0...10_000_000), "0",
            "WebSockets of channels that a node has at once; 0: no limit of their own."),
        .init(
            "realtime-max-handshakes", .integer(0...1_000_000), "0",
            "WebSockets of channels that one address may open in a second; 0: no limit."),
        .init(
            "realtime-max-channels", .integer(1...100_000), "100", "Channels that one connection may join."),
        .init(
            "realtime-max-events", .integer(0...1_000_000), "100",
            "Broadcasts and presence messages that one connection may send in a second; 0: no limit."),
        .init(
            "realtime-max-joins", .integer(0...1_000_000), "100",
            "Joins of one connection in a second; 0: no limit."),
        .init(
            "realtime-max-presence", .integer(0...1_000_000), "60",
            "Calls of track and untrack of one connection in 30 seconds; 0: no limit."),
        .init(
            "realtime-max-payload", .integer(1_024...268_435_456), "3000000",
            "Largest payload of a broadcast, in bytes."),
        .init(
            "realtime-queue", .integer(65_536...1_073_741_824), "1048576",
            "Bytes that may wait for a client that reads slowly; over it its connection ends with 4008."),
        .init(
            "realtime-messages-lifetime", .integer(24...8_760), "72",
            "Hours for which broadcasts of the database are kept in realtime.messages."),
    ]
}
