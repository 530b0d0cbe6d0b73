import ApusFaults
import ApusServer
import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "List, rotate and revoke the keys that sign access tokens.",
        discussion: """
            Keys go from standby to current to previous to revoked; running nodes
            follow at once, and rotating signs nobody out.

              apus keys add          publish the next key; then wait 20 minutes,
                                     so that everybody knows it
              apus keys rotate       let it sign
              apus keys revoke ID    void everything that an old key signed
            """,
        subcommands: [List.self, Add.self, Rotate.self, Revoke.self, Reseal.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the keys.")
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless {
                for line in try await SigningKeys(arguments.read()).list() { print(line) }
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Publish a key that will sign later.")
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless { print(try await SigningKeys(arguments.read()).add()) }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Let the standby key sign, or a new one.")
        @Option(
            help: ArgumentHelp(
                "For how long a standby key must have been published.", valueName: "seconds"))
        var minimumAge = 0
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless {
                print(try await SigningKeys(arguments.read()).rotate(minimumAge: minimumAge))
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Void everything that a key signed.")
        @Argument(help: "Id of a standby or previous key.") var id: String
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless { try await SigningKeys(arguments.read()).revoke(id) }
        }
    }

    struct Reseal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reseal", abstract: "Encrypt private keys with the first key of auth-encryption-key."
        )
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            try await Complaint.unless { print(try await SigningKeys(arguments.read()).reseal()) }
        }
    }
}
