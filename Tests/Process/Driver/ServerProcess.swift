import ApusTestSupport
import Foundation
import Synchronization

/// The real binary, on a private database in a temporary directory.
///
/// What it started is gone when it is released, whatever a test did to it: a shell outlives us only to clean up.
final class ServerProcess: Sendable {
    /// What a finished program said.
    struct Outcome: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    let directory: String
    private let reserved: ReservedPort
    private let arguments: [String]
    private let process = Mutex<ChildProcess?>(nil)
    private let address = Mutex<String?>(nil)
    private let lifeline: Lifeline

    // MARK: - Life

    /// Starts a server and returns when it is ready.
    ///
    /// - Parameters:
    ///   - migration: SQL that the database begins with.
    ///   - arguments: further ones of `apus serve`.
    static func start(migration: String? = nil, _ arguments: [String] = []) async throws -> ServerProcess {
        let server = try ServerProcess(migration: migration, arguments)
        try server.launch()
        try await server.ready()
        return server
    }

    init(migration: String? = nil, _ arguments: [String] = []) throws {
        directory = try Scratch.directory()
        reserved = try ReservedPort()
        var arguments = arguments
        if let migration {
            let path = directory + "/migrations"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try migration.write(toFile: path + "/20240101000000_tests.sql", atomically: true, encoding: .utf8)
            arguments += ["--migrations", path]
        }
        self.arguments = arguments
        // A shell that waits for our end or the test process's, whichever comes first: then its standard input closes.
        // It stops the server and removes the directory.
        lifeline = try Lifeline(
            "/bin/sh",
            [
                "-c",
                """
                trap '' INT TERM HUP; cat >/dev/null
                pid=$(cat '\(directory)/pid' 2>/dev/null)
                # Its number may be another's by now.
                is_ours() { [ -n "$pid" ] && ps -o args= -p "$pid" | grep -qF '\(directory)/'; }
                if is_ours; then kill -TERM "$pid" 2>/dev/null; fi
                while is_ours; do sleep 0.1; done
                rm -rf '\(directory)'
                """,
            ])
    }

    /// Starts the program; again after it ended.
    func launch() throws {
        let log = open(directory + "/log", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw Failure("cannot write the log: \(errno)") }
        defer { close(log) }
        let started = try ChildProcess(
            Program.path,
            ["serve"] + common + ["--server-port", "\(port)", "--log-format", "json"] + arguments,
            environment: Program.environment, directory: directory, streams: .init(output: log, errors: log))
        try "\(started.processID)".write(toFile: directory + "/pid", atomically: true, encoding: .utf8)
        process.withLock { $0 = started }
    }

    /// Returns when it says that it is ready; fails when it ends instead.
    func ready() async throws {
        let isReady = try await eventually(within: .seconds(120)) {
            guard isRunning else { throw Failure("the server ended, \(await end()): \(log)") }
            return try await Curl.get("\(url)/health/ready").status == 200
        }
        guard isReady else { throw Failure("the server is not ready: \(log)") }
    }

    /// Sends a signal and goes on.
    func signal(_ number: Int32) {
        process.withLock { $0 }?.signal(number)
    }

    /// Waits for its end and returns the exit status; the number of the signal, negative, when one ended it.
    func end() async -> Int32 {
        await process.withLock { $0 }?.end() ?? 0
    }

    // MARK: - Looking at it

    var isRunning: Bool { process.withLock { $0 }?.isRunning == true }
    var processID: pid_t { process.withLock { $0 }?.processID ?? 0 }
    var port: Int { reserved.number }
    var url: String { "http://127.0.0.1:\(port)" }
    var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }

    /// Process of the private PostgreSQL; nil when none runs.
    var postmaster: pid_t? {
        let found =
            FileManager.default.enumerator(atPath: directory + "/data")?
            .first { ($0 as? String)?.hasSuffix("postmaster.pid") == true } as? String
        guard let found else { return nil }
        let text = try? String(contentsOfFile: directory + "/data/" + found, encoding: .utf8)
        return text?.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    /// Where it keeps its data, for commands beside it.
    var common: [String] { ["--data-dir", directory + "/data"] }

    /// Another command of the program, on the same data.
    func apus(_ words: String...) async throws -> Outcome {
        try await Program.run(words + common, in: directory)
    }

    /// Runs a statement in its database as the owner, and returns what psql prints.
    func sql(_ statement: String) async throws -> String {
        let address = try await databaseAddress()
        let outcome = try await Program.run(
            executable: "/usr/bin/env", ["psql", address, "-AtXqc", statement], in: directory)
        guard outcome.status == 0 else { throw Failure(outcome.errors) }
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension ServerProcess {
    /// Of its private database, as the owner.
    func databaseAddress() async throws -> String {
        if let known = address.withLock({ $0 }) { return known }
        let told = try await apus("db", "url").output.trimmingCharacters(in: .whitespacesAndNewlines)
        address.withLock { $0 = told }
        return told
    }
}

/// Why a test cannot go on.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
