import ApusAuth
import ApusHTTP
import ApusJSON
import ApusREST
import NIOCore
import NIOHTTP1

/// Reads an HTTP request into what authentication understands.
enum AuthRequest {
    /// `request_entity_too_large` beyond this many bytes.
    static let bodyLimit = 1 << 20

    /// - Throws: what is wrong with the request itself.
    static func read(
        _ request: HTTPRequest, path: [String: String], trustedHops: Int
    ) throws(AuthFault) -> AuthCall {
        let query = try self.query(request.query)
        let (body, isForm) = try self.body(request)
        return AuthCall(
            body: body, query: query, path: path,
            address: ClientAddress.of(request, trustedHops: trustedHops),
            userAgent: request.headers.first(name: "user-agent").map { String($0.prefix(512)) },
            redirectTo: redirect(request, query, body),
            cookies: request.headers.first(name: "cookie").map { String($0.prefix(8_192)) }, isForm: isForm)
    }

    /// The path's segments below the prefix, decoded once; nil for a path that no route has: an empty segment in its
    /// middle (`//`) or at its end, a dot segment, a broken or hidden separator: `/admin/users/` with an id that a client
    /// forgot must not be `/admin/users`. One collection is called with a slash at its end by a client.
    static func segments(_ path: Substring, below prefix: String) -> [String]? {
        var rest = path.dropFirst(prefix.count)
        if rest == "/passkeys/" { rest.removeLast() }
        guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
        var segments: [String] = []
        for raw in rest.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = decode(raw, plusIsSpace: false), !segment.isEmpty, segment != ".",
                segment != "..",
                !segment.utf8.contains(where: {
                    $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20
                })
            else { return rest.isEmpty ? [] : nil }
            segments.append(segment)
        }
        return segments
    }

    // MARK: - Non public

    /// Each parameter once: of two, one part of a system would believe the first and another the last (Keycloak
    /// CVE-2026-9689).
    private static func query(_ text: Substring) throws(AuthFault) -> [String: String] {
        guard let pairs = form(text) else { throw .invalid("The query cannot be read") }
        var query: [String: String] = [:]
        for (name, value) in pairs where query.updateValue(value, forKey: name) != nil {
            throw .invalid("\(name.prefix(64)) is given more than once")
        }
        return query
    }

    private static func body(_ request: HTTPRequest) throws(AuthFault) -> (JSONObject, isForm: Bool) {
        guard let body = request.body, body.readableBytes > 0 else { return ([:], false) }
        guard body.readableBytes <= bodyLimit else {
            throw AuthFault(413, "request_entity_too_large", "Request body too large")
        }
        let bytes = Array(body.readableBytesView)
        let type = request.headers.first(name: "content-type")?.lowercased() ?? ""
        // Many a client sends JSON under curl's default type, and no form begins with a brace.
        let looksLikeJSON = bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
        if !looksLikeJSON, type.hasPrefix("application/x-www-form-urlencoded") {
            guard let pairs = form(Substring(decoding: bytes, as: UTF8.self)) else {
                throw AuthFault(400, "bad_json", "Could not read the form")
            }
            var object = JSONObject()
            for (name, value) in pairs {
                guard object[name] == nil else { throw .invalid("\(name) is given more than once") }
                object[name] = .string(value)
            }
            return (object, true)
        }
        guard let value = try? JSONReader.read(bytes), let object = value.object else {
            throw AuthFault(400, "bad_json", "Could not parse request body as JSON")
        }
        return (object, false)
    }

    /// The query's, the header's, the form's, and last the page that the request came from.
    private static func redirect(
        _ request: HTTPRequest, _ query: [String: String], _ body: JSONObject
    ) -> String? {
        let given = [
            query["redirect_to"], request.headers.first(name: "redirect_to"), body["redirect_to"]?.text,
            request.headers.first(name: "referer"),
        ]
        return given.compactMap { $0 }.first { !$0.isEmpty }
    }

    /// The fields of a form (or a query), in order; nil when it cannot be read.
    static func form(_ text: Substring) -> [(String, String)]? {
        var pairs: [(String, String)] = []
        for item in text.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0], plusIsSpace: true),
                let value = decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }

    /// Percent-decoding (RFC 3986, 2.1); nil for a broken escape, for what is no UTF-8, and for NUL.
    private static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.next(), let low = rest.next(),
                    let decoded = Hexadecimal.decode([high, low])?.first, decoded != 0
                else { return nil }
                bytes.append(decoded)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
