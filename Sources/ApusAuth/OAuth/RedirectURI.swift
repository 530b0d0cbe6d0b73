/// Where a client wants people to come back to.
enum RedirectURI {
    /// Whether it may be registered: absolute, without fragment, user or wildcards; `https`, `http` on the machine itself
    /// (RFC 8252 §7.3), or a scheme of an app's own with a dot in it (§7.1).
    static func isRegistrable(_ text: String) -> Bool {
        guard text.utf8.count <= 2048,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            !text.contains("#"), !text.contains("*"), let colon = text.firstIndex(of: ":")
        else { return false }
        let scheme = text[..<colon].lowercased()
        let rest = text[text.index(after: colon)...]
        switch scheme {
        case "https", "http":
            guard rest.hasPrefix("//") else { return false }
            let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
            guard !authority.isEmpty, !authority.contains("@") else { return false }
            return scheme == "https" || isLoopback(authority)
        default:
            return scheme.contains(".") && scheme.first?.isLetter == true
                && scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        }
    }

    /// Whether it is one of those that are registered: the same string (OAuth 2.1 §2.3.1), but for the port of an address
    /// of the machine itself, which an app cannot know beforehand (RFC 8252 §7.3).
    static func isRegistered(_ text: String, among registered: [String]) -> Bool {
        if registered.contains(text) { return true }
        guard let wanted = withoutLoopbackPort(text) else { return false }
        return registered.contains { withoutLoopbackPort($0) == wanted }
    }

    /// What a page's policy names to let a form end there: the origin, or the scheme.
    static func policySource(_ text: String) -> String {
        text.hasPrefix("https://") || text.hasPrefix("http://")
            ? WebAddress.origin(of: text) : String(text.prefix { $0 != ":" }) + ":"
    }

    private static func isLoopback(_ authority: some StringProtocol) -> Bool {
        let isIPv6 = authority.hasPrefix("[")
        let host =
            isIPv6 ? String(authority.prefix { $0 != "]" }) + "]" : String(authority.prefix { $0 != ":" })
        return host == "127.0.0.1" || host == "[::1]" || host == "localhost"
    }

    /// Only numbers: a name could be somebody else's.
    private static func withoutLoopbackPort(_ text: String) -> String? {
        guard text.hasPrefix("http://") else { return nil }
        for host in ["127.0.0.1", "[::1]"] where text.dropFirst(7).hasPrefix(host) {
            let rest = text.dropFirst(7 + host.count)
            guard rest.first == ":" else {
                return rest.isEmpty || rest.first == "/" || rest.first == "?" ? text : nil
            }
            let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard (1...5).contains(digits.count) else { return nil }
            return "http://" + host + rest.dropFirst(1 + digits.count)
        }
        return nil
    }
}
