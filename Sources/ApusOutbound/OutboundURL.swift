/// An absolute `http` or `https` URL (RFC 3986) that means one thing only.
///
/// Refused is whatever one program reads differently from another: user information, backslashes, control characters,
/// fragments, characters beyond ASCII, and numbers that some resolvers take for addresses (`0x7f.1`, `2130706433`).
package struct OutboundURL: Sendable, Hashable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        case http
        case https
    }

    package let scheme: Scheme
    /// A name in lower case, an IPv4 address, or an IPv6 address without brackets.
    package let host: String
    package let port: Int
    /// Path and query, from the slash on.
    package let target: String

    package init?(_ text: String) {
        guard text.utf8.count <= 4_096, text.utf8.allSatisfy(Self.isAllowed),
            let mark = text.range(of: "://"),
            let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased())
        else { return nil }
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let (host, port) = Self.authority(authority) else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port ?? (scheme == .https ? 443 : 80)
        let target = rest.dropFirst(authority.count)
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }

    /// For `Host`: with the port where it is not the scheme's own.
    package var authority: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == .https ? 443 : 80) ? shown : "\(shown):\(port)"
    }

    package var description: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// Scheme, host and port alone (RFC 6454).
    package var origin: String { "\(scheme.rawValue)://\(authority)" }

    // MARK: - Non public

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\\\"<>^`{|}#".utf8.contains(byte)
    }

    private static func authority(_ text: Substring) -> (host: String, port: Int?)? {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = text[text.index(after: text.startIndex)..<end].lowercased()
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }),
                let port = port(text[text.index(after: end)...])
            else { return nil }
            return (host, port.number)
        }
        let host = text.prefix { $0 != ":" }.lowercased()
        guard isHost(host), let port = port(text.dropFirst(host.count)) else { return nil }
        return (host, port.number)
    }

    private static func port(_ text: Substring) -> (number: Int?, Void)? {
        if text.isEmpty { return (nil, ()) }
        let digits = text.dropFirst()
        guard text.first == ":", (1...5).contains(digits.count),
            digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let number = Int(digits), (1...65_535).contains(number)
        else { return nil }
        return (number, ())
    }

    private static func isHost(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last else { return false }
        // A last label that begins like a number must be the end of an address written in full.
        guard last.first?.isNumber == true else { return true }
        return labels.count == 4
            && labels.allSatisfy { label in
                label.allSatisfy(\.isNumber) && Int(label).map { $0 <= 255 } == true
                    && (label == "0" || label.first != "0")
            }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}

extension String {
    /// The first place where `other` stands.
    fileprivate func range(of other: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
            start = index(after: start)
        }
        return nil
    }
}
