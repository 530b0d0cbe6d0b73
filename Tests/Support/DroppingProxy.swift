import Foundation

/// A TCP proxy on loopback in front of a unix socket, that can cut its connections: a network that fails.
///
/// Sendable: the state is only touched under its lock. (The thread sanitizer does not see a `Mutex`.)
package final class DroppingProxy: @unchecked Sendable {
    package let port: Int
    private let listener: Int32
    private let target: String
    private let lock = NSLock()
    private var state = State()

    private struct State {
        var pairs: [Pair] = []
        var accepts = true
        var withheld: (direction: Direction, mark: [UInt8], earlier: [UInt8])?
        var hasWithheld = false
    }

    /// Which way bytes go.
    package enum Direction: Sendable { case toServer, toClient }

    package init(to socketPath: String) throws {
        self.target = socketPath
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isBound else { throw ThrowawayCluster.Failure(description: "no loopback port") }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.listener = listener
        let target = socketPath
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                guard let self else {
                    close(client)
                    return
                }
                self.serve(client, target)
            }
        }
    }

    deinit {
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// For libpq.
    package func conninfo(database: String = "postgres", user: String = "postgres") -> String {
        "host=127.0.0.1 port=\(port) user=\(user) dbname=\(database) sslmode=disable gssencmode=disable"
    }

    /// Cuts all connections, in the middle of whatever they carry.
    package func cut() {
        let pairs = lock.withLock {
            defer { state.pairs = [] }
            return state.pairs
        }
        for pair in pairs { pair.cut() }
    }

    /// Refuses connections from now on, or takes them again.
    package func accepts(_ accepts: Bool) { lock.withLock { state.accepts = accepts } }

    /// From the first piece that contains `mark` on, nothing gets through in this direction any more: a point in
    /// time that a test can rely on. nil: everything does, on connections from now on.
    ///
    /// - Parameter earlier: what must have come before on the same connection, in the same direction.
    package func withhold(_ direction: Direction, from mark: String?, after earlier: String = "") {
        lock.withLock {
            state.withheld = mark.map { (direction, Array($0.utf8), Array(earlier.utf8)) }
            state.hasWithheld = false
        }
    }

    /// Whether the mark has come.
    package var hasWithheld: Bool { lock.withLock { state.hasWithheld } }

    // MARK: - Non public

    /// Whether a piece may go on.
    ///
    /// - Parameter hasCome: whether what must come earlier has, on this connection and in this direction.
    private func passes(_ piece: ArraySlice<UInt8>, _ direction: Direction, _ hasCome: inout Bool) -> Bool {
        lock.withLock {
            guard let withheld = state.withheld, withheld.direction == direction else { return true }
            var rest = piece
            if !hasCome {
                guard let place = piece.firstRange(of: withheld.earlier) else { return !state.hasWithheld }
                hasCome = true
                rest = piece[place.upperBound...]
            }
            if !state.hasWithheld { state.hasWithheld = rest.firstRange(of: withheld.mark) != nil }
            return !state.hasWithheld
        }
    }

    private func serve(_ client: Int32, _ target: String) {
        let server = connectUnix(target)
        let pair = Pair(client, server)
        let isWanted = lock.withLock {
            guard state.accepts, server >= 0 else { return false }
            state.pairs.append(pair)
            return true
        }
        guard isWanted else {
            close(client)
            if server >= 0 { close(server) }
            return
        }
        Thread.detachNewThread { [weak self] in
            var hasCome = false
            pair.pump(from: client, to: server) { self?.passes($0, .toServer, &hasCome) ?? true }
        }
        Thread.detachNewThread { [weak self] in
            var hasCome = false
            pair.pump(from: server, to: client) { self?.passes($0, .toClient, &hasCome) ?? true }
        }
    }

    private func connectUnix(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return -1
    }
}

/// The two sockets of one connection, closed when both directions are done.
///
/// Sendable: `open` is only touched under the lock.
private final class Pair: @unchecked Sendable {
    private let sockets: [Int32]
    private let lock = NSLock()
    private var open = 2

    init(_ first: Int32, _ second: Int32) { sockets = [first, second] }

    /// Both pumps then come to their end. Under the lock, so that it never hits a number used again.
    func cut() {
        lock.withLock {
            if open > 0 { for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) } }
        }
    }

    func pump(from source: Int32, to sink: Int32, while passes: (ArraySlice<UInt8>) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        reading: while true {
            let count = read(source, &buffer, buffer.count)
            if count <= 0 { break }
            guard passes(buffer[..<count]) else { continue }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes {
                    send(sink, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                }
                if written <= 0 { break reading }
                sent += written
            }
        }
        cut()
        lock.withLock {
            open -= 1
            if open == 0 { for socket in sockets { close(socket) } }
        }
    }
}
