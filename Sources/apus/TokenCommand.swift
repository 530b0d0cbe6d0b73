import ApusFaults
import ApusServer
import ArgumentParser

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make a token for development.",
        discussion: """
            Signs with --jwt-secret, or with the secret of the private database under --data-dir.

              apus token --role authenticated --sub 8d1f… --expires-in 1h
              curl -H "Authorization: Bearer $(apus token --role service_role)" …
            """)

    @Option(help: "Role of the token.") var role = "authenticated"
    @Option(help: "Subject: what auth.uid() returns.") var sub: String?
    @Option(help: ArgumentHelp("Further claims, a JSON object.", valueName: "json")) var claims: String?
    @Option(help: ArgumentHelp("Lifetime: 30s, 15m, 1h, 7d; never for no end.", valueName: "duration"))
    var expiresIn = "1h"
    @OptionGroup var arguments: SettingsArguments

    func validate() throws {
        if Lifetime(expiresIn) == nil {
            throw ValidationError(Lifetime.complaint(about: expiresIn))
        }
    }

    func run() throws {
        guard let lifetime = Lifetime(expiresIn) else { return }
        do {
            print(
                try DevelopmentToken.make(
                    settings: arguments.read(), role: role, subject: sub, claims: claims,
                    lifetime: lifetime.seconds))
        } catch let fault as Fault {
            Complaint.end(fault)
        }
    }
}
