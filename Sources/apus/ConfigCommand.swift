import ApusServer
import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show the settings that hold, secrets blanked.",
        discussion: "Settings:\n\n"
            + SettingDefinition.all.map { definition in
                let fallback = definition.fallback.map { " (default: \($0))" } ?? ""
                return "  --\(definition.name)\n      \(definition.summary)\(fallback)"
            }.joined(separator: "\n"))

    @OptionGroup var arguments: SettingsArguments

    func run() {
        for (name, value) in arguments.read().shown { print("\(name): \(value)") }
    }
}
