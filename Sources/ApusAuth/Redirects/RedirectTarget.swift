/// A URL that somebody may be sent to, taken apart (RFC 3986) so that it is compared part by part and never as text.
package struct RedirectTarget: Sendable, Equatable {
    /// Lower case.
    let scheme: String
    /// Lower case; nil for a URL without `//`, empty for `myapp:///path`.
    let host: String?
    let port: Int?
    /// Without the query; empty or beginning with a slash.
    let path: String

    /// What runs in the page that follows it, or reads what lies on the device.
    private static let dangerous: Set<String> = [
        "javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "ws", "wss",
    ]

    /// nil for anything that two readers might read differently: user names, backslashes, spaces, control characters,
    /// letters beyond ASCII, numbers for hosts, dot segments, hidden separators.
    ///
    /// - Parameter isPattern: whether `*` may stand in it.
    package init?(_ text: String, isPattern: Bool = false) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ Self.isHarmless($0, isPattern) }),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        scheme = text[..<colon].lowercased()
        guard Self.isScheme(scheme), !Self.dangerous.contains(scheme) else { return nil }
        var rest = text[text.utf8.index(after: colon)...]
        if let end = rest.utf8.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
            guard rest.utf8[end] == UInt8(ascii: "?"), !rest[end...].utf8.contains(UInt8(ascii: "#")) else {
                return nil
            }
            rest = rest[..<end]
        }
        let isWeb = scheme == "http" || scheme == "https"
        guard rest.hasPrefix("//") else {
            guard !isWeb, !isPattern || !rest.isEmpty else { return nil }
            (host, port, path) = (nil, nil, String(rest))
            return
        }
        let parts = rest.dropFirst(2).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let authority = parts.first.flatMap({ Self.authority($0.lowercased(), isWeb: isWeb) }) else {
            return nil
        }
        let path = parts.count > 1 ? "/" + parts[1] : ""
        guard Self.isPlain(path) else { return nil }
        (host, port) = authority
        self.path = path
    }

    /// Whether it is the machine that the browser runs on (RFC 8252, 7.3).
    var isLoopback: Bool { host == "localhost" || host == "127.0.0.1" || host == "[::1]" }

    /// The port, or what the scheme means by none.
    var effectivePort: Int? { port ?? (scheme == "https" ? 443 : scheme == "http" ? 80 : nil) }

    // MARK: - Non public

    private static func isHarmless(_ byte: UInt8, _ isPattern: Bool) -> Bool {
        switch byte {
        case 0...0x20, 0x7F...: false
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "|"), UInt8(ascii: "^"):
            false
        default: true
        }
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
                || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                || "+-.".utf8.contains($0)
        }
    }

    /// Host and port; nil for user names, escapes, and hosts that are numbers in disguise (`2130706433`, `0x7f.1`,
    /// `0177.0.0.1`): only four plain decimals are an IPv4 address.
    private static func authority(_ text: String, isWeb: Bool) -> (String, Int?)? {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "%") }) else {
            return nil
        }
        var host = text[...]
        var port: Int?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[...end]
            let after = text[text.index(after: end)...]
            if !after.isEmpty {
                guard after.hasPrefix(":"), let number = UInt16(after.dropFirst()) else { return nil }
                port = Int(number)
            }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            guard !host.contains(":"), let number = UInt16(text[text.index(after: colon)...]) else {
                return nil
            }
            port = Int(number)
        }
        guard isWeb else { return (String(host), port) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.hasPrefix("[") || labels.allSatisfy({ !$0.isEmpty }) else { return nil }
        if let last = labels.last, last.first?.isNumber == true {
            guard labels.count == 4,
                labels.allSatisfy({ label in UInt8(label).map { String($0) == label } ?? false })
            else { return nil }
        }
        return (String(host), port)
    }

    /// Neither dot segments nor separators hidden in escapes.
    private static func isPlain(_ path: String) -> Bool {
        let lower = path.lowercased()
        guard !["%2e", "%2f", "%5c", "%00", "%0d", "%0a", "%25"].contains(where: { lower.contains($0) })
        else {
            return false
        }
        return !path.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }
}
