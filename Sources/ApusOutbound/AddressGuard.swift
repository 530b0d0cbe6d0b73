package import NIOCore

/// Which addresses a request of ours may go to: public ones, and what the operator named.
///
/// A URL that somebody else wrote (a discovery document, a provider that an administrator entered) must not lead to
/// the machine itself, its network or a cloud's metadata service (OWASP ASVS 5.0, 1.3.6).
package struct AddressGuard: Sendable {
    private let allowedHosts: Set<String>

    /// - Parameter allowedHosts: hosts, as `name` or `name:port`, that may be at any address.
    package init(allowedHosts: [String] = []) {
        self.allowedHosts = Set(allowedHosts.map { $0.lowercased() })
    }

    /// Whether the operator named this host.
    package func allows(_ url: OutboundURL) -> Bool {
        allowedHosts.contains(url.host) || allowedHosts.contains("\(url.host):\(url.port)")
    }

    /// Whether an address is anybody's to reach: a global unicast address that stands for itself (IANA's registries
    /// of special-purpose addresses, RFC 6890).
    package static func isPublic(_ address: SocketAddress) -> Bool {
        // Where the address lies in `sockaddr_in` and `sockaddr_in6` (POSIX, <netinet/in.h>, as Linux and Darwin have it).
        let bytes = address.withSockAddr { pointer, size in
            Array(UnsafeRawBufferPointer(start: pointer, count: size))
        }
        switch address {
        case .v4: return isPublic(v4: Array(bytes.dropFirst(4).prefix(4)))
        case .v6: return isPublic(v6: Array(bytes.dropFirst(8).prefix(16)))
        case .unixDomainSocket: return false
        }
    }

    // MARK: - Non public

    private static let closedV4: [(UInt32, length: UInt32)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
        (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16),
        (0xC612_0000, 15), (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
    ]

    private static func isPublic(v4 bytes: [UInt8]) -> Bool {
        let number = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !closedV4.contains { block, length in number >> (32 - length) == block >> (32 - length) }
    }

    /// Only 2000::/3 is routed. What there carries an IPv4 address or is set apart is left out: 6to4 (2002::/16), the
    /// block with Teredo and its like (2001::/23), examples (2001:db8::/32, 3fff::/20), segment routing (5f00::/16 lies
    /// outside). IPv4-mapped addresses lie outside, too.
    private static func isPublic(v6 bytes: [UInt8]) -> Bool {
        guard bytes.count == 16, bytes[0] >> 5 == 1 else { return false }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return false }
        if bytes[0] == 0x20, bytes[1] == 0x01 {
            if bytes[2] & 0xFE == 0 { return false }
            if bytes[2] == 0x0D, bytes[3] == 0xB8 { return false }
        }
        return !(bytes[0] == 0x3F && bytes[1] == 0xFF && bytes[2] >> 4 == 0)
    }
}
