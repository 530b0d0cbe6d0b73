/// Where Redis is: `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS.
package struct RedisAddress: Sendable, Equatable {
    var host: String
    var port = 6_379
    var user: String?
    var password: String?
    var database = 0
    var usesTLS = false

    /// nil for what is no such address.
    package init?(_ text: String) {
        guard let scheme = text.firstRange(of: "://") else { return nil }
        switch text[..<scheme.lowerBound] {
        case "redis": usesTLS = false
        case "rediss": usesTLS = true
        default: return nil
        }
        var rest = text[scheme.upperBound...]
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            rest = rest[rest.index(after: at)...]
            guard let user = Self.decoded(parts[0]) else { return nil }
            self.user = user.isEmpty ? nil : user
            if parts.count > 1 {
                guard let password = Self.decoded(parts[1]) else { return nil }
                self.password = password
            }
        }
        if let slash = rest.firstIndex(of: "/") {
            let path = rest[rest.index(after: slash)...]
            guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else { return nil }
            self.database = database
            rest = rest[..<slash]
        }
        // An IPv6 address stands in brackets.
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        if rest.hasPrefix(":") {
            guard let port = Int(rest.dropFirst()), (1...65_535).contains(port) else { return nil }
            self.port = port
        } else if !rest.isEmpty {
            return nil
        }
        if host.isEmpty { return nil }
    }

    /// Undoes percent-encoding.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = source.next(), let low = source.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
