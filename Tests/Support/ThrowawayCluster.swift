import Foundation

/// A real PostgreSQL for tests: made by `initdb` in a temporary directory, reached over a unix socket, and
/// gone when the test process ends, however it ends.
///
/// `APUS_TEST_PG_BIN` names the directory of its binaries; else the newest under `/usr/lib/postgresql`.
/// PostgreSQL refuses to run as root, so for root it runs as the user `postgres`, or as `nobody`.
package final class ThrowawayCluster: Sendable {
    /// Why there is no cluster; `output` is what the command said.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Where the socket lies; the data is below.
    package let directory: String
    package let port = 5432
    private let binaries: String
    private let dataDirectory: String

    // MARK: - Life

    /// Makes a cluster and starts it. `settings` come after the usual ones, which are for speed and hold
    /// nothing back on the disk: set `fsync` where a crash of the machine matters.
    package static func start(settings: [String: String] = [:]) async throws -> ThrowawayCluster {
        let cluster = try ThrowawayCluster()
        try await cluster.initialise(settings: settings)
        try await cluster.start()
        return cluster
    }

    /// Starts it, and returns when it takes connections.
    package func start() async throws {
        try await control("start", "-w", "-t", "60", "-l", "\(dataDirectory)/server.log")
    }

    /// How PostgreSQL is told to stop (PostgreSQL, "Shutting Down the Server").
    package enum StopMode: String {
        case smart, fast, immediate
    }

    /// Returns when it has stopped.
    package func stop(_ mode: StopMode = .fast) async throws {
        try await control("stop", "-w", "-m", mode.rawValue)
    }

    package func restart(_ mode: StopMode = .fast) async throws {
        try await stop(mode)
        try await start()
    }

    /// Ends all its processes at once, as a crash does, with SIGKILL.
    package func kill() async throws {
        guard let postmaster = postmaster else { throw Failure(description: "no server runs") }
        let children = try await Program.run("/usr/bin/pgrep", ["-P", "\(postmaster)"])
        Foundation.kill(postmaster, SIGKILL)
        for child in children.split(separator: "\n").compactMap({ pid_t($0) }) {
            Foundation.kill(child, SIGKILL)
        }
        while Foundation.kill(postmaster, 0) == 0 { await Task.yield() }
    }

    // MARK: - Reaching it

    /// For libpq. The superuser is `postgres`; nobody needs a password.
    package func conninfo(database: String = "postgres", user: String = "postgres") -> String {
        "host=\(directory) port=\(port) user=\(user) dbname=\(database)"
    }

    /// The socket's path, for a proxy.
    package var socketPath: String { "\(directory)/.s.PGSQL.\(port)" }

    /// What the server has written to its log.
    package var log: String {
        (try? String(contentsOfFile: "\(dataDirectory)/server.log", encoding: .utf8)) ?? ""
    }

    // MARK: - Non public

    private init() throws {
        binaries = try Self.findBinaries()
        var template = Array("/tmp/apus-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        dataDirectory = directory + "/data"
    }

    private static func findBinaries() throws -> String {
        if let given = ProcessInfo.processInfo.environment["APUS_TEST_PG_BIN"] { return given }
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        guard let newest = versions.compactMap({ Int($0) }).max() else {
            throw Failure(description: "no PostgreSQL under \(root); set APUS_TEST_PG_BIN")
        }
        return "\(root)/\(newest)/bin"
    }

    private func initialise(settings: [String: String]) async throws {
        if let user = Self.serverUser { _ = try await Program.run("/bin/chown", [user, directory]) }
        try await asServer(
            "initdb", "--pgdata", dataDirectory, "--username", "postgres", "--auth", "trust", "--encoding",
            "UTF8",
            "--locale", Self.locale, "--no-sync")
        var all = [
            "listen_addresses": "", "unix_socket_directories": directory, "port": "\(port)", "fsync": "off",
            "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "logical",
            "max_connections": "400", "shared_buffers": "32MB",
            "max_replication_slots": "100", "max_wal_senders": "100",
        ]
        all.merge(settings) { $1 }
        let lines = all.map { "\($0) = '\($1.replacingOccurrences(of: "'", with: "''"))'" }
        let file = "\(dataDirectory)/postgresql.auto.conf"
        try lines.joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
        try holdLifeline()
    }

    /// A shell that waits for our end, whatever ends us, and then stops the server and tidies up.
    private func holdLifeline() throws {
        try Program.startOnLifeline(
            "/bin/sh",
            [
                "-c",
                """
                trap '' INT TERM HUP; cat >/dev/null
                pid=$(head -n 1 '\(dataDirectory)/postmaster.pid' 2>/dev/null)
                # Its number may be another's by now.
                is_ours() { [ -n "$pid" ] && ps -o args= -p "$pid" | grep -qF '\(dataDirectory)'; }
                if is_ours; then kill -QUIT "$pid" 2>/dev/null; fi
                while is_ours; do sleep 0.1; done
                rm -rf '\(directory)'
                """,
            ])
    }

    private var postmaster: pid_t? {
        let file = try? String(contentsOfFile: "\(dataDirectory)/postmaster.pid", encoding: .utf8)
        return file?.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    private func control(_ arguments: String...) async throws {
        try await asServer("pg_ctl", arguments: ["-D", dataDirectory] + arguments)
    }

    private func asServer(_ program: String, _ arguments: String...) async throws {
        try await asServer(program, arguments: arguments)
    }

    private func asServer(_ program: String, arguments: [String]) async throws {
        let command = ["\(binaries)/\(program)"] + arguments
        if let user = Self.serverUser {
            _ = try await Program.run("/usr/sbin/runuser", ["-u", user, "--"] + command)
        } else {
            _ = try await Program.run(command[0], Array(command.dropFirst()))
        }
    }

    /// The user the server runs as; nil for our own.
    private static var serverUser: String? {
        guard geteuid() == 0 else { return nil }
        return getpwnam("postgres") == nil ? "nobody" : "postgres"
    }

    private static var locale: String {
        #if os(Linux)
            "C.UTF-8"
        #else
            "C"
        #endif
    }
}
