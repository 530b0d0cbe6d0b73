package import Foundation

/// A program that we start and whose end we hear of, by `posix_spawn` and `waitpid`. (`Foundation.Process` watches
/// for a child's end with a run loop, and on Linux now and then misses it.)
///
/// Sendable: ``state`` is only touched under its lock. (The thread sanitizer does not see a `Mutex`.)
package final class ChildProcess: @unchecked Sendable {
    /// Where a child's standard streams lead: descriptors of ours; nil is `/dev/null`.
    package struct Streams {
        package var input: Int32?
        package var output: Int32?
        package var errors: Int32?

        package init(input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil) {
            self.input = input
            self.output = output
            self.errors = errors
        }
    }

    private enum State {
        case running([CheckedContinuation<Int32, Never>])
        case ended(Int32)
    }

    package let processID: pid_t
    private let lock = NSLock()
    private var state = State.running([])

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - environment: nil for our own.
    ///   - directory: where it begins; nil for our own.
    /// - Throws: when it cannot be started.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String]? = nil, directory: String? = nil,
        streams: Streams = Streams()
    ) throws {
        processID = try Self.spawn(path, arguments, environment, directory, streams)
        Thread.detachNewThread { [self] in
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            ended(Self.exitStatus(of: status))
        }
    }

    package var isRunning: Bool {
        lock.withLock { if case .running = state { true } else { false } }
    }

    /// Waits for its end: the exit status; the number of the signal, negative, when one ended it.
    package func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status: Int32? = lock.withLock {
                switch state {
                case .ended(let status): return status
                case .running(let waiting):
                    state = .running(waiting + [continuation])
                    return nil
                }
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Sends a signal; nothing when it has ended, for its number may belong to another by then.
    package func signal(_ number: Int32) {
        lock.withLock { if case .running = state { kill(processID, number) } }
    }

    // MARK: - Non public

    private func ended(_ status: Int32) {
        let waiting: [CheckedContinuation<Int32, Never>] = lock.withLock {
            guard case .running(let waiting) = state else { return [] }
            state = .ended(status)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: status) }
    }

    /// What `wait(2)` packs into a number.
    private static func exitStatus(of status: Int32) -> Int32 {
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : -signal
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String]?, _ directory: String?,
        _ streams: Streams
    ) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, target) in [(0, streams.input), (1, streams.output), (2, streams.errors)] {
            if let target {
                posix_spawn_file_actions_adddup2(&actions, target, Int32(number))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
            }
        }
        // Glibc's own action for this is not seen from Swift.
        let prefix = directory.map { ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, $0] } ?? []
        let command = prefix + [path] + arguments
        var words = command.map { strdup($0) } + [nil]
        var settings =
            (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var child = pid_t()
        let status = posix_spawn(&child, command[0], &actions, nil, &words, &settings)
        guard status == 0 else {
            throw ThrowawayCluster.Failure(description: "\(path): cannot start: \(status)")
        }
        return child
    }
}
