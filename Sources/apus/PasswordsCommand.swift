import ApusFaults
import ApusServer
import ArgumentParser

struct PasswordsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwords",
        abstract: "Make a file of leaked passwords for auth-password-leaked-file.",
        discussion: """
            Reads a list of SHA-1 digests, one a line, as Have I Been Pwned
            publishes them. The file takes eight bytes a password and is asked
            without a network.

              apus passwords pwned.txt leaked.bin
              apus passwords --plain common.txt leaked.bin
            """)

    @Flag(help: "Lines are passwords and not digests.") var plain = false
    @Argument(help: "The list.") var list: String
    @Argument(help: "The file to write.") var file: String

    func run() throws {
        do {
            print("\(try LeakedPasswordFile.make(from: list, to: file, areDigests: !plain)) passwords")
        } catch let fault as Fault {
            Complaint.end(fault)
        }
    }
}
