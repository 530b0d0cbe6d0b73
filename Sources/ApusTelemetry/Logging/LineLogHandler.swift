package import Logging

/// Writes what the program logs, a line each, with secrets made unreadable.
///
///     LoggingSystem.bootstrap { label, provider in
///         LineLogHandler(label: label, format: format, level: level, metadataProvider: provider)
///     }
package struct LineLogHandler: LogHandler {
    /// The metadata key of the request that a line belongs to; at a terminal it stands first.
    package static let requestID = "request_id"

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level

    private let label: String
    private let format: LogFormat
    private let output: LogOutput
    private let clock: @Sendable () -> LogTime

    package init(
        label: String, format: LogFormat, level: Logger.Level = .info, output: LogOutput = .standardError,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.init(
            label: label, format: format, level: level, output: output, metadataProvider: metadataProvider,
            clock: LogTime.now)
    }

    init(
        label: String, format: LogFormat, level: Logger.Level, output: LogOutput,
        metadataProvider: Logger.MetadataProvider?, clock: @escaping @Sendable () -> LogTime
    ) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.output = output
        self.metadataProvider = metadataProvider
        self.clock = clock
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = .string(String(describing: error)) }
        let record = LogRecord(
            time: clock(), level: event.level, label: label,
            message: SecretRedaction.redact(event.message.description),
            metadata: all.isEmpty ? [] : SecretRedaction.redact(all).sorted { $0.key < $1.key })
        switch format {
        case .terminal(let colours): output.write(TerminalLine.render(record, colours: colours))
        case .jsonLines: output.write(JSONLine.render(record))
        }
    }
}

/// One line's content, secrets already gone.
struct LogRecord {
    let time: LogTime
    let level: Logger.Level
    let label: String
    let message: String
    /// Ordered by key.
    let metadata: [(key: String, value: Logger.Metadata.Value)]
}
