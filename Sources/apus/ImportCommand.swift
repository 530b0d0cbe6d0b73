import ApusFaults
import ApusServer
import ArgumentParser

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring data of other systems in.", subcommands: [FirebaseAuth.self])

    struct FirebaseAuth: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "firebase-auth",
            abstract: "Import the users of a Firebase project, with their passwords.",
            discussion: """
                1. Get the users:

                     firebase auth:export users.json --format=json --project ID

                   This leaves out links to Apple, Microsoft, OIDC and SAML. A file with
                   all of them comes from accounts:batchGet, and is read too:

                     https://identitytoolkit.googleapis.com/v1/projects/ID/accounts:batchGet

                2. Get the hash parameters: Firebase's console, Authentication, Users,
                   the menu at the top right, "Password hash parameters". Paste them into
                   a file, as they are.

                3. Rehearse: reads everything, changes nothing, needs no database.

                     apus import firebase-auth users.json --hash-parameters hash.txt \\
                         --project ID --dry-run

                4. Import. --check EMAIL asks for the password of somebody you know, and
                   stops when it does not hold: with wrong parameters everybody would
                   come and nobody could sign in.

                     apus import firebase-auth users.json --hash-parameters hash.txt \\
                         --project ID --check you@example.com --report skipped.jsonl

                Interrupted? Run the same command again: it goes on where it was. Run it
                later with a newer export: users who are there already are left alone.

                A user's id is UUID version 5 of https://securetoken.google.com/ID/UID in
                the namespace of URLs; the uid itself is in app_metadata.firebase_uid and
                in auth.identities (provider 'firebase').
                """)

        @Argument(help: ArgumentHelp("What firebase auth:export wrote.", valueName: "users.json"))
        var file: String
        @Option(help: ArgumentHelp("The project's password hash parameters.", valueName: "file"))
        var hashParameters: String
        @Option(help: ArgumentHelp("The project's id, a part of every user's new id.", valueName: "id"))
        var project: String
        @Flag(help: "Read everything and say what would happen; change nothing.") var dryRun = false
        @Flag(help: "Take addresses that Firebase never verified for confirmed.") var confirmAll = false
        @Option(help: ArgumentHelp("Write a line of JSON per user who needs a look.", valueName: "file"))
        var report: String?
        @Option(
            help: ArgumentHelp(
                "First check a password, read from standard input, of the user with this address.",
                valueName: "email"))
        var check: String?
        @OptionGroup var arguments: SettingsArguments

        func run() async throws {
            var password: String?
            if let check {
                Prompt.show("Password of \(check): ")
                password = Prompt.readSecret()
            }
            do {
                let settings = arguments.read()
                try await FirebaseImporting(
                    settings,
                    .init(
                        file: file, hashParameters: hashParameters, project: project, isRehearsal: dryRun,
                        confirmsAll: confirmAll, report: report, check: check, password: password)
                ).run()
            } catch let fault as Fault {
                Complaint.end(fault)
            }
        }
    }
}
