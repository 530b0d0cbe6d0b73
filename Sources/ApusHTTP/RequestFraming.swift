import NIOHTTP1

/// What RFC 9112 has a server refuse and the decoder lets pass.
///
/// A proxy in front and this server must never read two different requests from the same bytes (request smuggling), so
/// whatever could be read in two ways is refused, and the connection closes.
enum RequestFraming {
    /// Brings a head into the form that the rest of the server reads: the target begins with its path.
    ///
    /// - Returns: why the request is refused; nil when it is not.
    static func settle(_ head: inout HTTPRequestHead) -> HTTPRefusal? {
        guard head.version == .http1_1 || head.version == .http1_0, head.method != .CONNECT,
            hasOneLength(head), hasOneHost(head), settleTarget(&head)
        else { return .malformedRequest }
        return nil
    }

    /// A host as it may stand in a field: `uri-host [":" port]` (RFC 9110 §7.2), without checking what it names.
    static func isHost(_ text: some Sequence<UInt8>) -> Bool {
        text.allSatisfy { byte in
            byte > 0x20 && byte != 0x7F && !#",/?#@\"<>^`{|}"#.utf8.contains(byte)
        }
    }

    // MARK: - Non public

    /// RFC 9112 §6.1 and §6.3: a length is said once and in one way; of the codings only `chunked` is known here, and it
    /// is not known to HTTP/1.0.
    private static func hasOneLength(_ head: HTTPRequestHead) -> Bool {
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        guard !codings.isEmpty else { return lengths.count <= 1 }
        return lengths.isEmpty && codings.count == 1 && codings[0].lowercased() == "chunked"
            && head.version == .http1_1
    }

    /// RFC 9112 §3.2
    private static func hasOneHost(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["host"]
        guard let host = hosts.first else { return head.version == .http1_0 }
        // The decoder leaves tabs around a value.
        let name = host.drop { $0 == "\t" || $0 == " " }
        let end = name.lastIndex { $0 != "\t" && $0 != " " }.map(name.index(after:)) ?? name.startIndex
        return hosts.count == 1 && isHost(name[..<end].utf8)
    }

    /// RFC 9112 §3.2.1 to §3.2.4. The authority of an absolute target takes the place of `Host`.
    private static func settleTarget(_ head: inout HTTPRequestHead) -> Bool {
        let target = head.uri[...]
        if target.utf8.first == UInt8(ascii: "/") { return true }
        if target == "*" { return head.method == .OPTIONS }
        guard let colon = target.utf8.firstIndex(of: UInt8(ascii: ":")),
            ["http", "https"].contains(target[..<colon].lowercased()), target[colon...].hasPrefix("://")
        else { return false }
        let rest = target[colon...].dropFirst(3)
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.isEmpty, isHost(authority.utf8) else { return false }
        head.headers.replaceOrAdd(name: "host", value: String(authority))
        head.uri = (rest[end...].hasPrefix("/") ? "" : "/") + rest[end...]
        return true
    }
}
