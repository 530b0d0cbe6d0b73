import ApusServer
import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show the settings that hold, secrets blanked.",
        discussion: "Settings:\n\n"
            + SettingDefinition.all.map { definition in
                let fallback =
                    definition.fallback.map { " (default: \($0.replacing(",", with: ", ")))" } ?? ""
                return "  --\(definition.name)\n" + folded(definition.summary + fallback)
            }.joined(separator: "\n"))

    @OptionGroup var arguments: SettingsArguments

    func run() {
        for (name, value) in arguments.read().shown { print("\(name): \(value)") }
    }

    /// In lines that an ordinary terminal shows whole, below the setting's name.
    private static func folded(_ text: String) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count > 72 { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines.map { "      " + $0 }.joined(separator: "\n")
    }
}
