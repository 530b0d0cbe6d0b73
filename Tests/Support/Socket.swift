import Foundation

/// A raw connection, for what no well-behaved client does.
package final class Socket: Sendable {
    private let descriptor: Int32

    /// Connects to a port of this machine.
    package init(port: Int) throws {
        descriptor = socket(AF_INET, Self.stream, 0)
        // Nothing here may wait for ever.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let status = Self.withAddress(port: port) { connect(descriptor, $0, $1) }
        guard status == 0 else {
            close(descriptor)
            throw ThrowawayCluster.Failure(
                description: "cannot connect to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Sends bytes; false when the other side does not take them any more.
    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// The same, of bytes that need not be text.
    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Self.noSignal) }
            if sent <= 0 { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Everything up to the end of the connection.
    package func readToEnd() -> String {
        var all: [UInt8] = []
        while let bytes = readSome() { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// Reads until a text has come `count` times, or the connection ends.
    package func read(until text: String, count: Int = 1) -> String {
        var all = ""
        while all.components(separatedBy: text).count <= count, let bytes = readSome() {
            all += String(decoding: bytes, as: UTF8.self)
        }
        return all
    }

    /// Bytes that are there, at least one; nil at the end of the connection.
    package func readSome(most: Int = 65_536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Whether the other side has closed the connection, after everything was read.
    package var isClosedByPeer: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Self.doNotWait)
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }

    // MARK: - Non public

    private static func withAddress<R>(
        port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    #if os(Linux)
        private static let stream = Int32(SOCK_STREAM.rawValue)
        private static let noSignal = Int32(MSG_NOSIGNAL)
        private static let doNotWait = Int32(MSG_DONTWAIT)
    #else
        private static let stream = SOCK_STREAM
        private static let noSignal: Int32 = 0
        private static let doNotWait = MSG_DONTWAIT
    #endif
}
