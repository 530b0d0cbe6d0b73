package import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns a host's name into addresses.
package struct HostResolver: Sendable {
    package let addresses: @Sendable (_ host: String, _ port: Int) async throws -> [SocketAddress]

    package init(
        _ addresses: @escaping @Sendable (_ host: String, _ port: Int) async throws -> [SocketAddress]
    ) {
        self.addresses = addresses
    }

    /// The system's, off the event loops.
    package static let system = HostResolver { host, port in
        try await NIOThreadPool.singleton.runIfActive { try lookUp(host, port) }
    }

    private static func lookUp(_ host: String, _ port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = Int32(SOCK_STREAM)
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else {
            throw OutboundFailure(.unreachable, "the name \(host) cannot be resolved")
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var entry = list
        while let info = entry, addresses.count < 16 {
            if let address = socketAddress(info.pointee) { addresses.append(address) }
            entry = info.pointee.ai_next
        }
        return addresses
    }

    private static func socketAddress(_ info: addrinfo) -> SocketAddress? {
        guard let address = info.ai_addr else { return nil }
        let bytes = UnsafeRawPointer(address)
        switch info.ai_family {
        case AF_INET: return SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self))
        case AF_INET6: return SocketAddress(bytes.loadUnaligned(as: sockaddr_in6.self))
        default: return nil
        }
    }
}
