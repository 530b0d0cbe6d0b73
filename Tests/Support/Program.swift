import Foundation
import Synchronization

/// Runs the programs of a test cluster.
enum Program {
    /// Runs a program to its end, and returns what it printed.
    ///
    /// - Throws: when it cannot be started, and when it ends with another status than 0.
    static func run(_ path: String, _ arguments: [String]) async throws -> String {
        // A file and no pipe: a server that `pg_ctl` leaves behind would keep a pipe open.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let output = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw failure(path, "no temporary file: \(errno)") }
        defer {
            close(output)
            unlink(file)
        }
        let child = try ChildProcess(path, arguments, streams: .init(output: output, errors: output))
        let status = await child.end()
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        guard status == 0 else { throw failure(([path] + arguments).joined(separator: " "), text) }
        return text
    }

    /// Starts a program whose standard input is a pipe from us. It reads its end when this process ends,
    /// however that happens. Nobody waits for it.
    static func startOnLifeline(_ path: String, _ arguments: [String]) throws {
        try Lifeline(path, arguments).holdForever()
    }

    private static func failure(_ program: String, _ output: String) -> ThrowawayCluster.Failure {
        ThrowawayCluster.Failure(description: "\(program): \(output)")
    }
}

/// A program whose standard input is a pipe from us: it reads its end when we let go, or when this process ends,
/// however that happens.
package final class Lifeline: Sendable {
    private let end: Mutex<Int32?>

    /// - Throws: when it cannot be started.
    package init(_ path: String, _ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard Self.makePipe(&ends) == 0 else {
            throw ThrowawayCluster.Failure(description: "\(path): no pipe: \(errno)")
        }
        end = Mutex(ends[1])
        defer { close(ends[0]) }
        _ = try ChildProcess(path, arguments, streams: .init(input: ends[0]))
    }

    deinit { letGo() }

    /// Ends what the program reads.
    package func letGo() {
        end.withLock { end in
            if let end { close(end) }
            end = nil
        }
    }

    /// Our end must not go to any other child, not even to one that another thread starts just now: the pipe would
    /// stay open with it.
    private static func makePipe(_ ends: inout [Int32]) -> Int32 {
        #if os(Linux)
            let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
            return socketpair(AF_UNIX, Int32(kind), 0, &ends)
        #else
            let status = pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return status
        #endif
    }

    /// Until this process ends.
    func holdForever() { _ = Unmanaged.passRetained(self) }
}
