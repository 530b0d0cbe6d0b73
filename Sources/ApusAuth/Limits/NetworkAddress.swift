#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An address as limits and logs see it.
package struct NetworkAddress: Sendable {
    private let bytes: [UInt8]

    /// `text`: IPv4 or IPv6; anything else is nobody's address.
    package init(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let all = withUnsafeBytes(of: &six) { Array($0) }
            // ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2) is the IPv4 address.
            let isMapped = all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
            bytes = isMapped ? Array(all[12...]) : all
        } else {
            bytes = []
        }
    }

    /// Whoever has this address, as far as it can be told: an IPv4 address, or the /64 that one customer gets of IPv6.
    package var subscriber: String {
        bytes.count == 16 ? Hexadecimal.encode(bytes[..<8]) + "/64" : dotted(bytes)
    }

    /// The network without the host (/24, /48): enough to see a pattern, too little to find a person.
    package var truncated: String {
        switch bytes.count {
        case 4: dotted(Array(bytes[..<3]) + [0]) + "/24"
        case 16: Hexadecimal.encode(bytes[..<6]) + "/48"
        default: ""
        }
    }

    private func dotted(_ bytes: [UInt8]) -> String { bytes.map { String($0) }.joined(separator: ".") }
}
