import Testing

/// The commands beside `serve`.
@Suite struct CommandLineTests {}
