#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a line of the log looks.
package enum LogFormat: Sendable, Equatable {
    /// For people: time, level, label, message, then `key=value`.
    case terminal(colours: Bool)
    /// For machines: one JSON object a line with `ts`, `level`, `msg`, `label` and `metadata`.
    case jsonLines

    /// People sit at terminals; everything else is a machine. `NO_COLOR`, when it is not empty (no-color.org), and
    /// `TERM=dumb` turn colours off.
    package static func detected(descriptor: Int32, environment: [String: String]) -> LogFormat {
        guard isatty(descriptor) == 1 else { return .jsonLines }
        return .terminal(colours: (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb")
    }
}
