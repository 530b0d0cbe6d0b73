import Foundation
import Testing

/// The commands beside `serve`.
@Suite struct CommandLineTests {
    private func run(_ arguments: String...) async throws -> ServerProcess.Outcome {
        try await Program.run(arguments, in: "/tmp")
    }

    @Test func helpNamesAllCommands() async throws {
        let outcome = try await run("--help")
        #expect(outcome.status == 0)
        for command in ["serve", "migrate", "token", "db", "config"] {
            #expect(outcome.output.contains(command))
        }
        let settings = try await run("config", "--help")
        #expect(settings.output.contains("--server-read-timeout"))
    }

    @Test func version() async throws {
        let outcome = try await run("--version")
        #expect(outcome.status == 0)
        #expect(outcome.output.split(separator: ".").count == 3)
    }

    @Test func settingThatIsNoneStopsTheStart() async throws {
        let outcome = try await run("serve", "--server-prot", "80")
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("There is no setting 'server-prot'"))
        #expect(outcome.errors.contains("Did you mean 'server-port'?"))
    }

    /// What cannot be meant, and what is said of it.
    @Test(arguments: [
        (["serve", "--prot", "80"], 78, "Did you mean 'server-port'?"),
        (["serve", "-p", "80"], 78, "Nothing is called '-p' here. [APUS001]"),
        (["keys", "rotat"], 78, "Nothing is called 'rotat' here. [APUS001]"),
        (["serve", "--server-port"], 78, "The setting 'server-port' has no value"),
        (["config", "--db-uri", "--db-plan-enabled"], 78, "The setting 'db-uri' has no value"),
        (["token", "--expires-in", "5"], 64, "apus token --help"),
        (["api-keys", "create", "x", "--expires-in", "soon"], 64, "apus api-keys create --help"),
        (["migrate", "upp"], 64, "apus migrate --help"),
    ])
    func mistakesAreExplained(arguments: [String], status: Int32, words: String) async throws {
        let outcome = try await Program.run(arguments, in: "/tmp")
        #expect(outcome.status == status)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }

    /// A terminal of eighty columns shows every line of every help as it is meant.
    @Test func helpFitsATerminal() async throws {
        for words in [
            ["serve"], ["keys"], ["passwords"], ["import", "firebase-auth"], ["config"], ["token"],
        ] {
            let outcome = try await Program.run(words + ["--help"], in: "/tmp")
            let text = try #require(outcome.output.components(separatedBy: "USAGE:").first)
            // A line that was broken for us begins at the margin, in the middle of a sentence or a command.
            let lines = text.components(separatedBy: "\n").drop { !$0.isEmpty }
            for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix(" ") && !next.isEmpty {
                #expect(next.hasPrefix(" "), "\(words): \(line)\n\(next)")
            }
        }
    }

    @Test func databaseAddressNeedsADatabase() async throws {
        let server = try ServerProcess()
        let outcome = try await server.apus("db", "url")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("APUS012"))
    }

    @Test func tokensOfThePrivateDatabaseOpenIt() async throws {
        let server = try await ServerProcess.start(
            migration:
                "create function me() returns text language sql stable as $$ select current_user::text $$;")
        let token = try await server.apus("token", "--role", "service_role").output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let answer = try await Curl.get(
            "\(server.url)/rest/v1/rpc/me", ["-H", "Authorization: Bearer \(token)"])
        #expect(answer.body == #""service_role""#)
        #expect(try await server.sql("select current_user") == "postgres")
        let secret = try FileManager.default.attributesOfItem(atPath: server.directory + "/data/jwt-secret")
        #expect(secret[.posixPermissions] as? Int == 0o600)
    }

    @Test func migrationsAreMadeAppliedAndListed() async throws {
        let server = try ServerProcess()
        let place = server.directory + "/changes"
        let made = try await server.apus("migrate", "new", "add_lamps", "--migrations", place)
        let path = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(made.status == 0, "\(made.errors)")
        #expect(path.hasSuffix("_add_lamps.sql"))
        try "create table lamps (id int primary key);".write(toFile: path, atomically: true, encoding: .utf8)
        let before = try await server.apus("migrate", "status", "--migrations", place)
        #expect(before.output.contains("pending"), "\(before.output) \(before.errors)")
        let up = try await server.apus("migrate", "up", "--migrations", place)
        #expect(up.status == 0, "\(up.errors)")
        #expect(up.output.contains("1 applied"))
        #expect(
            try await server.apus("migrate", "up", "--migrations", place).output.contains("nothing to do"))
        #expect(try await server.apus("migrate", "status", "--migrations", place).output.contains("applied"))
        #expect(server.postmaster == nil, "the database that was started for it is stopped again")
    }

    @Test func migrationThatFailsIsNamed() async throws {
        let server = try ServerProcess(migration: "create table fine (id int);\nselect nonsense;")
        let outcome = try await server.apus("migrate", "up", "--migrations", server.directory + "/migrations")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("20240101000000_tests"), "\(outcome.errors)")
    }
}
