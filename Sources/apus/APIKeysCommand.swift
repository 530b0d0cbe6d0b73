import ApusFaults
import ApusServer
import ArgumentParser

struct APIKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-keys",
        abstract: "Make, list and revoke keys of apps and backends.",
        discussion: """
            Each has a name and a role. A key is shown when it is made, and never
            again: the database keeps a digest. A revoked one is refused by all
            running nodes within a second.

              apus api-keys create nightly-report --role service_role --expires-in 90d
              apus api-keys create ios --role anon
              apus api-keys list
              apus api-keys revoke nightly-report
            """,
        subcommands: [Create.self, List.self, Revoke.self], defaultSubcommand: List.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a key and print it.")
        @Argument(help: "What to call it.") var name: String
        @Option(help: "Role of requests with it: service_role, anon, or one of yours.") var role =
            "service_role"
        @Option(help: ArgumentHelp("How long it holds: 90d, 12h; never for no end.", valueName: "duration"))
        var expiresIn = "never"
        @OptionGroup var arguments: SettingsArguments

        func validate() throws {
            if Lifetime(expiresIn) == nil { throw ValidationError(Lifetime.complaint(about: expiresIn)) }
        }

        func run() async throws {
            guard let lifetime = Lifetime(expiresIn) else { return }
            try await Complaint.unless {
                print(
                    try await APIKeys(arguments.read()).create(name, role: role, lifetime: lifetime.seconds))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the keys, without the keys themselves.")
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless {
                for line in try await APIKeys(arguments.read()).list() { print(line) }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Void a key everywhere, at once.")
        @Argument(help: "Name of the key.") var name: String
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless { try await APIKeys(arguments.read()).revoke(name) }
        }
    }
}
