package import ApusFaults

/// A configuration that cannot be used. Stops the start; the message names the setting and where it came from.
package enum SettingsFault: Error, Sendable {
    case unknown(name: String, origin: String, nearest: String?)
    /// A word on the command line that is neither a setting's name nor its value.
    case stray(String)
    /// A flag without the value that it needs.
    case noValue(name: String)
    case badValue(name: String, value: String, origin: String, expected: String)
    case unreadableFile(path: String, reason: String)

    /// The coded error, for the command line and the log.
    package var fault: Fault {
        switch self {
        case .unknown(let name, let origin, let nearest):
            Fault(
                code: "APUS001", kind: .invalid,
                message: "There is no setting '\(name)' (\(origin)).",
                hint: nearest.map { "Did you mean '\($0)'?" } ?? "`apus config --help` lists all settings.")
        case .stray(let argument):
            Fault(
                code: "APUS001", kind: .invalid, message: "Nothing is called '\(argument)' here.",
                hint:
                    "Settings are written --NAME VALUE; `apus config --help` lists them, `apus --help` the commands."
            )
        case .noValue(let name):
            Fault(
                code: "APUS002", kind: .invalid,
                message: "The setting '\(name)' has no value (flag --\(name)).",
                hint: "Write --\(name) VALUE.")
        case .badValue(let name, let value, let origin, let expected):
            Fault(
                code: "APUS002", kind: .invalid,
                message: "The setting '\(name)' cannot be '\(value)' (\(origin)).",
                hint: "It takes \(expected).")
        case .unreadableFile(let path, let reason):
            Fault(
                code: "APUS003", kind: .invalid,
                message: "The configuration file '\(path)' cannot be read: \(reason)",
                hint: "It must be YAML (or JSON) with a setting per line, for instance `db-schemas: public`.")
        }
    }
}
