/// Where clients reach the API, for a document that says so.
package struct PublicAddress: Sendable {
    package var scheme: String
    package var host: String
    package var port: Int
    package var path: String

    package init(scheme: String, host: String, port: Int, path: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// Reads `openapi-server-proxy-uri`: `http(s)://host[:port][/path]`. nil for anything else.
    package init?(url: String) {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest[authority.endIndex...].prefix { $0 != "?" && $0 != "#" }
        var host = authority[...]
        var port = scheme == "https" ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number)
            else { return nil }
            port = number
            host = authority[..<colon]
        }
        guard !host.isEmpty, !host.contains("@") else { return nil }
        self.init(scheme: scheme, host: String(host), port: port, path: path.isEmpty ? "/" : String(path))
    }

    /// The dialect's way to name a host that listens everywhere.
    var shownHost: String {
        switch host {
        case "*", "*4", "!4", "*6", "!6": "0.0.0.0"
        default: host
        }
    }

    var url: String {
        let isDefault = (scheme == "https" && port == 443) || (scheme == "http" && port == 80)
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        return "\(scheme)://\(shownHost)" + (isDefault ? "" : ":\(port)") + base
    }
}
