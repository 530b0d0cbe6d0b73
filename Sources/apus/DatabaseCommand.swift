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

struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "Reach the database.",
        subcommands: [URLCommand.self, PsqlCommand.self])

    struct URLCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "url",
            abstract: "Print a connection string of the database, as its owner.",
            discussion: "The private database must be running (apus serve).\n\n  psql \"$(apus db url)\"")

        @OptionGroup var arguments: SettingsArguments

        func run() throws {
            do {
                print(try DatabaseAddress.owner(arguments.read()))
            } catch let fault as Fault {
                Complaint.end(fault)
            }
        }
    }

    struct PsqlCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "psql",
            abstract: "Open psql on the database, as its owner.",
            discussion: "  apus db psql --data-dir .apus\n  apus db psql -- -c 'select 1'")

        @OptionGroup var arguments: SettingsArguments

        func run() throws {
            var arguments = arguments
            var rest: [String] = []
            if let end = arguments.settings.firstIndex(of: "--") {
                rest = Array(arguments.settings[(end + 1)...])
                arguments.settings.removeSubrange(end...)
            } else if let first = arguments.settings.firstIndex(where: {
                $0.hasPrefix("-") && !$0.hasPrefix("--")
            }) {
                rest = Array(arguments.settings[first...])
                arguments.settings.removeSubrange(first...)
            }
            do {
                let settings = arguments.read()
                let program = DatabaseAddress.psql(settings)
                let words = [program, try DatabaseAddress.owner(settings)] + rest
                var pointers = words.map { strdup($0) }
                pointers.append(nil)
                execvp(program, pointers)
                Complaint.end(
                    Fault(
                        code: "APUS011", kind: .internal, message: "psql cannot be started (\(program)).",
                        hint: "Install PostgreSQL's client, or run scripts/setup."))
            } catch let fault as Fault {
                Complaint.end(fault)
            }
        }
    }
}
