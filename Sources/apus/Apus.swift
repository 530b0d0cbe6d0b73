import ApusFaults
import ApusServer
import ArgumentParser

/// The command line: one command a file.
@main
struct Apus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "The backend in front of PostgreSQL.",
        discussion: """
            Start it without anything to get a private PostgreSQL and an API on it:

              apus serve

            Settings are flags, environment variables or lines of a YAML file, by the same names:

              apus serve --db-schemas api --server-port 8080
              APUS_DB_SCHEMAS=api APUS_SERVER_PORT=8080 apus serve
              apus serve --config apus.yaml
            """,
        version: BuildInformation.version,
        subcommands: [
            ServeCommand.self, MigrateCommand.self, TokenCommand.self, DatabaseCommand.self,
            ConfigCommand.self, KeysCommand.self, APIKeysCommand.self, PasswordsCommand.self,
            ImportCommand.self,
        ])
}
