/// The parts of a web address from the configuration.
package enum WebAddress {
    /// The host, without port; the text itself when it has none.
    package static func host(of url: String) -> String {
        guard let authority = parts(of: url)?.authority else { return url }
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    /// Scheme, host and port: what browsers call the origin.
    package static func origin(of url: String) -> String {
        parts(of: url).map { String($0.scheme + $0.authority) } ?? url
    }

    /// The path, without query; empty when there is none.
    package static func path(of url: String) -> String {
        guard let parts = parts(of: url) else { return "" }
        return String(
            url.dropFirst(parts.scheme.count + parts.authority.count).prefix { $0 != "?" && $0 != "#" })
    }

    /// The scheme with `://`, and host and port.
    private static func parts(of url: String) -> (scheme: Substring, authority: Substring)? {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return nil }
        let start = url.index(colon, offsetBy: 3)
        return (url[..<start], url[start...].prefix { !"/?#".contains($0) })
    }
}
