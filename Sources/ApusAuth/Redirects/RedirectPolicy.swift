/// Where people may be sent (`auth-site-url` and `auth-uri-allow-list`).
package struct RedirectPolicy: Sendable {
    private let site: RedirectTarget?
    private let siteURL: String
    private let patterns: [RedirectTarget]

    /// A pattern that is no URL allows nothing.
    package init(siteURL: String, allowed: [String]) {
        self.siteURL = siteURL
        site = RedirectTarget(siteURL)
        patterns = allowed.compactMap { RedirectTarget($0, isPattern: true) }
    }

    /// The URL itself when it is allowed, else the site's.
    package func allowed(_ url: String?) -> String {
        guard let url, let target = RedirectTarget(url), isAllowed(target) else { return siteURL }
        return url
    }

    private func isAllowed(_ target: RedirectTarget) -> Bool {
        if let site, site.host != nil, site.scheme == target.scheme, site.host == target.host,
            site.effectivePort == target.effectivePort || site.isLoopback
        {
            return true
        }
        return patterns.contains { Self.matches($0, target) }
    }

    private static func matches(_ pattern: RedirectTarget, _ target: RedirectTarget) -> Bool {
        guard pattern.scheme == target.scheme, (pattern.host == nil) == (target.host == nil) else {
            return false
        }
        if let wanted = pattern.host, let host = target.host {
            // `myapp://**` speaks of everything that an app of one's own is sent.
            let isWeb = target.scheme == "http" || target.scheme == "https"
            if wanted == "**", pattern.path.isEmpty, !isWeb { return true }
            guard glob(Array(wanted.utf8)[...], Array(host.utf8)[...], separator: UInt8(ascii: ".")) else {
                return false
            }
            guard pattern.effectivePort == target.effectivePort || pattern.isLoopback else { return false }
        }
        let wanted = pattern.path.isEmpty ? "/" : pattern.path
        let path = target.path.isEmpty ? "/" : target.path
        return glob(Array(wanted.utf8)[...], Array(path.utf8)[...], separator: UInt8(ascii: "/"))
    }

    /// `*` stands for any characters but the separator, `**` for any at all.
    private static func glob(
        _ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>, separator: UInt8
    ) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        guard first == UInt8(ascii: "*") else {
            return text.first == first && glob(pattern.dropFirst(), text.dropFirst(), separator: separator)
        }
        let stars = pattern.prefix { $0 == first }.count
        let rest = pattern.dropFirst(stars)
        var tail = text
        while true {
            if glob(rest, tail, separator: separator) { return true }
            guard let next = tail.first, stars > 1 || next != separator else { return false }
            tail = tail.dropFirst()
        }
    }
}
