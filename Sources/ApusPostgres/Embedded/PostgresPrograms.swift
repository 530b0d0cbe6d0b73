import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A PostgreSQL installation's programs.
struct PostgresPrograms: Sendable, Equatable {
    /// Absolute path, links resolved: the account that runs PostgreSQL may not be able to follow them.
    var directory: String
    /// The major version, for instance 18.
    var major: Int

    /// The oldest major version that Apus supports.
    static let oldestMajor = 15

    /// Finds an installation: the one that the setting names, or the environment; then the checkout's own
    /// (`.cache/postgresql-18`), near the working directory or near this program; then the system's.
    ///
    /// What is named explicitly is used or refused, never passed over.
    static func find(setting: String?) async throws(EmbeddedFault) -> PostgresPrograms {
        let environment = getenv("APUS_POSTGRES_BIN").map { String(cString: $0) }
        if let named = setting ?? environment.flatMap({ $0.isEmpty ? nil : $0 }) {
            return try await examine(named)
        }
        var searched: [String] = ["APUS_POSTGRES_BIN"]
        for place in await places() {
            guard !searched.contains(place) else { continue }
            searched.append(place)
            if LocalFiles.status(place + "/postgres") != nil, let found = try? await examine(place) {
                return found
            }
        }
        throw .programsMissing(searched: searched)
    }

    /// Runs a program of this installation to its end, away from the terminal's process group.
    ///
    /// - Returns: its exit status (-1 if a signal ended it) and what it said on both outputs.
    func run(
        _ program: String, _ arguments: [String], as account: ServerAccount?
    ) async throws(EmbeddedFault) -> (status: Int32, output: String) {
        var options = PlatformOptions()
        // A Ctrl-C at the terminal is for Apus, which then stops PostgreSQL in its own time.
        options.createSession = true
        var command = ["\(directory)/\(program)"] + arguments
        if let account, account.isOther {
            if let changer = Self.userChanger {
                // Between fork and exec, glibc's setgroups and setuid wait for threads that were not copied: a
                // child of a process with many threads can hang there for ever. A program does it after exec.
                let user = ["--reuid", "\(account.user)", "--regid", "\(account.group)"]
                command = [changer] + user + ["--clear-groups", "--"] + command
            } else {
                options.userID = account.user
                options.groupID = account.group
                options.supplementaryGroups = []
            }
        }
        do {
            let result = try await Subprocess.run(
                .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
                environment: environment,
                workingDirectory: FilePath("/"), platformOptions: options,
                output: .string(limit: 1 << 20), error: .combinedWithOutput)
            guard case .exited(let status) = result.terminationStatus else {
                return (-1, result.standardOutput)
            }
            return (status, result.standardOutput)
        } catch {
            throw .programsUnsuitable(path: directory, reason: "\(program) cannot be run: \(error)")
        }
    }

    // MARK: - Non public

    /// util-linux's program that changes users; nil on systems without it.
    private static let userChanger: String? = ["/usr/bin/setpriv", "/bin/setpriv"].first { (path: String) in
        access(path, X_OK) == 0
    }

    /// Nothing inherited: `PG…` variables of the developer's shell mean other servers, and what PostgreSQL
    /// says is read here, in English.
    private var environment: Environment {
        .custom(["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "HOME": "/"])
    }

    private static func examine(_ directory: String) async throws(EmbeddedFault) -> PostgresPrograms {
        guard let real = LocalFiles.realPath(directory) else {
            throw .programsUnsuitable(path: directory, reason: "there is no such directory")
        }
        for program in ["postgres", "initdb", "pg_ctl"] where access("\(real)/\(program)", X_OK) != 0 {
            throw .programsUnsuitable(path: real, reason: "there is no program \(program)")
        }
        var programs = PostgresPrograms(directory: real, major: 0)
        let (status, output) = try await programs.run("postgres", ["--version"], as: nil)
        guard status == 0, let major = majorVersion(output) else {
            throw .programsUnsuitable(path: real, reason: "postgres --version says: \(output)")
        }
        guard major >= oldestMajor else {
            throw .programsUnsuitable(path: real, reason: "it is PostgreSQL \(major)")
        }
        programs.major = major
        return programs
    }

    /// The number after the closing parenthesis of `postgres (PostgreSQL) 18.1`.
    private static func majorVersion(_ text: String) -> Int? {
        guard let name = text.firstIndex(of: ")") else { return nil }
        return Int(text[text.index(after: name)...].drop(while: { $0 == " " }).prefix(while: \.isNumber))
    }

    private static func places() async -> [String] {
        var places: [String] = []
        for start in [LocalFiles.realPath("."), ownProgram().map(LocalFiles.parent)] {
            guard var directory = start else { continue }
            // From `.build/<triple>/release/apus`, or a test's bundle, up to the checkout.
            for _ in 0..<6 {
                places.append("\(directory == "/" ? "" : directory)/.cache/postgresql-18/bin")
                directory = LocalFiles.parent(directory)
            }
        }
        if let system = await systemDirectory() { places.append(system) }
        return places
    }

    /// What the `pg_config` on `PATH` names.
    private static func systemDirectory() async -> String? {
        let result = try? await Subprocess.run(
            .name("pg_config"), arguments: ["--bindir"], output: .string(limit: 4096), error: .discarded)
        guard let result, result.terminationStatus.isSuccess else { return nil }
        let line = result.standardOutput.prefix { !$0.isNewline }
        return line.isEmpty ? nil : String(line)
    }

    private static func ownProgram() -> String? {
        #if os(Linux)
            LocalFiles.linkTarget("/proc/self/exe")
        #else
            CommandLine.arguments.first.flatMap(LocalFiles.realPath)
        #endif
    }
}
