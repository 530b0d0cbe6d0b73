import ApusFaults
import ApusServer
import ArgumentParser

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Write, apply and list migrations.",
        discussion: """
            Migrations are files of SQL in --migrations (default: migrations), applied once and in order.

              apus migrate new add_orders
              apus migrate up --db-admin-uri postgresql://owner@db/app
              apus migrate status
            """,
        subcommands: [New.self, Up.self, Status.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new", abstract: "Make an empty migration and print its path.")
        @Argument(help: "What it does, in a few words.") var name: String
        @OptionGroup var arguments: SettingsArguments

        func run() throws {
            do {
                print(try Migrating(arguments.read()).new(name))
            } catch let fault as Fault {
                Complaint.end(fault)
            }
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "up", abstract: "Apply what was not applied yet.")
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            do {
                try await Migrating(arguments.read()).up { print($0) }
            } catch let fault as Fault {
                Complaint.end(fault)
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "List migrations and how they stand.")
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            do {
                try await Migrating(arguments.read()).status { print($0) }
            } catch let fault as Fault {
                Complaint.end(fault)
            }
        }
    }
}
