import Foundation

/// A port of this machine that is given to nobody else while this lives, so that a server which starts a while later,
/// and starts again, finds it free.
///
/// It is bound and never listened on. A server that reuses addresses (`SO_REUSEADDR`), as servers do, may bind and
/// listen beside that; who asks the system for any port, by `bind(2)` to port 0 or by `connect(2)`, is given another.
/// Elsewhere than on Linux it is only a port that was free a moment ago.
package final class ReservedPort: Sendable {
    package let number: Int
    private let descriptor: Int32

    /// - Throws: when the system has none.
    package init() throws {
        let descriptor = socket(AF_INET, Self.stream, 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard let number = Self.bindToAny(descriptor) else {
            close(descriptor)
            throw ThrowawayCluster.Failure(description: "no free port: \(errno)")
        }
        #if !os(Linux)
            close(descriptor)
        #endif
        self.number = number
        self.descriptor = descriptor
    }

    deinit {
        #if os(Linux)
            close(descriptor)
        #endif
    }

    /// Gives a socket a port of loopback, and returns it.
    private static func bindToAny(_ descriptor: Int32) -> Int? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
            }
        }
        return status == 0 ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }

    #if os(Linux)
        private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
    #endif
}
