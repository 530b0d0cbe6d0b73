import ApusFaults
import ApusServer
import ArgumentParser

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a database.",
        discussion: """
            With --db-uri (or DATABASE_URL) that database is served; without, Apus
            starts a private PostgreSQL under --data-dir and stops it when it ends.

              apus serve --data-dir .apus --server-port 3000
              apus serve --db-uri postgresql://authenticator@db/app \\
                  --jwt-secret @secret.txt

            SIGTERM and SIGINT drain and stop. SIGHUP reads configuration and
            catalog again.

            `apus config --help` lists all settings.
            """)

    @OptionGroup var arguments: SettingsArguments

    func run() async throws {
        let arguments = arguments
        do {
            try await Server(settings: arguments.read(), reread: { try arguments.settingsOfNow() }).run()
        } catch let fault as Fault {
            Complaint.end(fault)
        }
    }
}
