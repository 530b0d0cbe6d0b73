import Foundation

/// Runs programs with `posix_spawn` and `waitpid`. (`Foundation.Process` watches for a child's end with a run
/// loop, and on Linux now and then misses it.)
enum Program {
    /// Runs a program to its end on a thread of its own, and returns what it printed.
    static func run(_ path: String, _ arguments: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try runBlocking(path, arguments) })
            }
        }
    }

    /// Starts a program whose standard input is a pipe from us. It reads its end when this process ends,
    /// however that happens. Nobody waits for it.
    static func startOnLifeline(_ path: String, _ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw failure(path, "no pipe: \(errno)") }
        // Our end must not go to any other child: the pipe would stay open with it.
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        _ = try spawn(path, arguments, input: ends[0], output: nil)
        close(ends[0])
    }

    // MARK: - Non public

    private static func runBlocking(_ path: String, _ arguments: [String]) throws -> String {
        // A file and no pipe: a server that `pg_ctl` leaves behind would keep a pipe open.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let output = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw failure(path, "no temporary file: \(errno)") }
        defer {
            close(output)
            unlink(file)
        }
        let child = try spawn(path, arguments, input: nil, output: output)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw failure(path, "cannot wait: \(errno)") }
        }
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        guard status == 0 else { throw failure(([path] + arguments).joined(separator: " "), text) }
        return text
    }

    private static func spawn(
        _ path: String, _ arguments: [String], input: Int32?, output: Int32?
    ) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        redirect(0, to: input, &actions)
        redirect(1, to: output, &actions)
        redirect(2, to: output, &actions)
        var words = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { words.forEach { free($0) } }
        var child = pid_t()
        let status = posix_spawn(&child, path, &actions, nil, words, environ)
        guard status == 0 else { throw failure(path, "cannot start: \(status)") }
        return child
    }

    #if canImport(Darwin)
        private typealias Actions = posix_spawn_file_actions_t?
    #else
        private typealias Actions = posix_spawn_file_actions_t
    #endif

    private static func redirect(_ descriptor: Int32, to target: Int32?, _ actions: inout Actions) {
        if let target {
            posix_spawn_file_actions_adddup2(&actions, target, descriptor)
        } else {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
    }

    private static func failure(_ program: String, _ output: String) -> ThrowawayCluster.Failure {
        ThrowawayCluster.Failure(description: "\(program): \(output)")
    }
}
