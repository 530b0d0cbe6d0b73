import ApusHTTP
import NIOHTTP1

/// Where a request came from, as far as it can be trusted.
enum ClientAddress {
    /// The peer; or, behind proxies of one's own, what the outermost of them saw.
    ///
    /// Each proxy adds the address it saw at the end of `X-Forwarded-For`, so with n trusted ones the n-th from the right
    /// is theirs and everything before it is the client's invention.
    static func of(_ request: HTTPRequest, trustedHops: Int) -> String {
        guard trustedHops > 0 else { return request.peer }
        let seen = request.headers[canonicalForm: "x-forwarded-for"]
        guard seen.count >= trustedHops else { return request.peer }
        return withoutPort(String(seen[seen.count - trustedHops]))
    }

    /// `192.0.2.1:4711` and `[2001:db8::1]:4711` are written by some proxies.
    private static func withoutPort(_ text: String) -> String {
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
        return colons == 1 ? String(text.prefix { $0 != ":" }) : text
    }
}
