import Foundation

/// A real Redis for tests: on a free port, in a temporary directory, and gone when the test process ends, however it
/// ends. It keeps nothing over a restart unless told to.
package final class RedisServer: Sendable {
    package var port: Int { reserved.number }
    private let reserved: ReservedPort
    private let directory: String
    private let keepsData: Bool

    /// - Parameter keepsData: whether a restart brings back what was written.
    package static func start(keepsData: Bool = false) async throws -> RedisServer {
        let server = try RedisServer(keepsData: keepsData)
        try await server.start()
        return server
    }

    private init(keepsData: Bool) throws {
        self.keepsData = keepsData
        var template = Array("/tmp/apus-redis-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ThrowawayCluster.Failure(description: "no temporary directory")
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        reserved = try ReservedPort()
        try Program.startOnLifeline(
            "/bin/sh",
            [
                "-c",
                """
                trap '' INT TERM HUP; cat >/dev/null
                kill -9 "$(cat '\(directory)/pid' 2>/dev/null)" 2>/dev/null
                rm -rf '\(directory)'
                """,
            ])
    }

    package var url: String { "redis://127.0.0.1:\(port)" }

    /// Returns when it answers.
    package func start() async throws {
        _ = try await Program.run(
            "/bin/bash",
            [
                "-c", Self.launcher, "redis-server", "--port", "\(port)", "--bind", "127.0.0.1",
                "--daemonize", "yes", "--dir",
                directory,
                "--pidfile", "\(directory)/pid", "--logfile", "\(directory)/log", "--save", "",
                "--appendonly",
                keepsData ? "yes" : "no",
            ])
        guard try await eventually(within: .seconds(60), { try await command("ping") == "PONG" }) else {
            throw ThrowawayCluster.Failure(description: "Redis does not answer on port \(port)")
        }
    }

    /// Ends it at once.
    package func kill() async throws {
        let pid = try? String(contentsOfFile: "\(directory)/pid", encoding: .utf8)
        guard let pid = pid.flatMap({ pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }) else {
            return
        }
        Foundation.kill(pid, SIGKILL)
        unlink("\(directory)/pid")
        while Foundation.kill(pid, 0) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// What `redis-cli` prints; empty when there is no answer.
    @discardableResult
    package func command(_ words: String...) async throws -> String { try await command(words) }

    @discardableResult
    package func command(_ words: [String]) async throws -> String {
        let output = try? await Program.run("/usr/bin/env", ["redis-cli", "-p", "\(port)"] + words)
        return output?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }

    /// Debian's package of tools has the program without a service, under the name of one of its tools; which one it
    /// is, it knows by the name it is called by.
    private static let launcher = """
        if command -v redis-server >/dev/null; then exec redis-server "$@"; fi
        exec -a redis-server redis-check-rdb "$@"
        """
}
