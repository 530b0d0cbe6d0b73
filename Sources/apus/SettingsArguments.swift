import ApusFaults
import ApusServer
import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Settings on the command line, in any command: `--config FILE`, and `--NAME VALUE` for every setting.
struct SettingsArguments: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("YAML or JSON file of settings (also APUS_CONFIG).", valueName: "file"))
    var config: String?

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            "Any setting, as --NAME VALUE or --NAME=VALUE; `apus config --help` lists them.",
            valueName: "--setting value"))
    var settings: [String] = []

    /// Reads and checks the configuration; says what is wrong and ends the process with status 78 (`EX_CONFIG`)
    /// otherwise.
    func read() -> Settings {
        do {
            return try settingsOfNow()
        } catch {
            Complaint.end(error.fault, status: 78)
        }
    }

    /// Reads and checks the configuration as it is now; for SIGHUP, where a mistake must not end the process.
    func settingsOfNow() throws(SettingsFault) -> Settings {
        try Settings(
            RawSettings(
                flags: flags(), environment: Self.environment,
                file: config ?? Self.environment["APUS_CONFIG"]))
    }

    private func flags() throws(SettingsFault) -> [(name: String, value: String?)] {
        var flags: [(name: String, value: String?)] = []
        var rest = settings[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                throw .stray(argument)
            }
            let name = argument.dropFirst(2)
            if let equals = name.firstIndex(of: "=") {
                flags.append((String(name[..<equals]), String(name[name.index(after: equals)...])))
            } else if let value = rest.first, !value.hasPrefix("--") {
                rest.removeFirst()
                flags.append((String(name), value))
            } else {
                flags.append((String(name), nil))
            }
        }
        return flags
    }

    private static var environment: [String: String] {
        var result: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            pointer += 1
        }
        return result
    }
}

/// How a command says on standard error what went wrong, and ends.
enum Complaint {
    static func end(_ fault: Fault, status: Int32 = 1) -> Never {
        var text = "apus: \(fault.message) [\(fault.code)]\n"
        if let details = fault.details { text += "      \(details)\n" }
        if let hint = fault.hint { text += "      \(hint)\n" }
        _ = text.withCString { write(2, $0, strlen($0)) }
        exit(status)
    }

    /// Runs `body`; a fault ends the process with its words.
    static func unless(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let fault as Fault {
            end(fault)
        }
    }
}
