/// A request as it was framed by the bytes of a connection.
package struct FramedRequest: Equatable, Sendable {
    package var method: String
    package var target: String
    package var body: [UInt8]

    package init(method: String, target: String, body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.body = body
    }
}

/// Which requests the bytes of a connection hold, by the letter of RFC 9112 and without any leniency.
///
/// Slow and simple on purpose: it is what the server is judged by. The server may refuse more than this does; it must
/// never see a request that is not here.
package struct FramingReference {
    private let bytes: [UInt8]
    private var position = 0
    private var isLast = false

    /// The requests that are complete, in their order.
    package static func requests(in bytes: [UInt8]) -> [FramedRequest] {
        var reader = FramingReference(bytes: bytes)
        var requests: [FramedRequest] = []
        while !reader.isLast, let request = reader.request() { requests.append(request) }
        return requests
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private struct Field {
        var name: String
        var value: String
    }

    // MARK: - Messages

    private mutating func request() -> FramedRequest? {
        // §2.2: empty lines before a request line are ignored.
        while position < bytes.count, bytes[position] == 0x0D || bytes[position] == 0x0A { position += 1 }
        guard let line = line() else { return nil }
        // §3: several blanks between the words may stand for one.
        let words = line.split(separator: 0x20)
        guard words.count == 3, line.first != 0x20, line.last != 0x20, Self.isToken(words[0]),
            words[1].allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let fields = fields()
        else { return nil }
        let isOld: Bool
        switch String(decoding: words[2], as: UTF8.self) {
        case "HTTP/1.1": isOld = false
        case "HTTP/1.0": isOld = true
        default: return nil
        }
        let method = String(decoding: words[0], as: UTF8.self)
        let hosts = fields.filter { $0.name == "host" }
        guard hosts.count == 1 || (isOld && hosts.isEmpty), method != "CONNECT",
            let target = Self.originForm(String(decoding: words[1], as: UTF8.self), method),
            let body = body(fields, isOld: isOld)
        else { return nil }
        let options = fields.filter { $0.name == "connection" }
            .flatMap { $0.value.split(separator: ",") }
            .map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        isLast =
            options.contains("close") || (isOld && !options.contains("keep-alive"))
            || fields.contains { $0.name == "upgrade" }
        return FramedRequest(method: method, target: target, body: body)
    }

    /// §3.2
    private static func originForm(_ target: String, _ method: String) -> String? {
        if target.hasPrefix("/") { return target }
        if target == "*" { return method == "OPTIONS" ? target : nil }
        let lowercased = target.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else { return nil }
        let rest = target.utf8.dropFirst(scheme.utf8.count)
        guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
            return rest.isEmpty ? nil : "/"
        }
        if end == rest.startIndex { return nil }
        let path = String(Substring(rest[end...]))
        return path.hasPrefix("/") ? path : "/" + path
    }

    /// §6.3
    private mutating func body(_ fields: [Field], isOld: Bool) -> [UInt8]? {
        let lengths = fields.filter { $0.name == "content-length" }
        let codings = fields.filter { $0.name == "transfer-encoding" }
        if !codings.isEmpty {
            guard lengths.isEmpty, !isOld, codings.count == 1, codings[0].value.lowercased() == "chunked"
            else {
                return nil
            }
            return chunks()
        }
        guard let length = lengths.first else { return [] }
        guard lengths.count == 1, length.value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let count = Int(length.value), bytes.count - position >= count
        else { return nil }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// §7.1
    private mutating func chunks() -> [UInt8]? {
        var all: [UInt8] = []
        while let line = line() {
            let digits = line.prefix { $0 != UInt8(ascii: ";") }
            guard !digits.isEmpty, digits.count < 16, digits.allSatisfy(Self.isHexDigit),
                let count = Int(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            if count == 0 { return self.fields() == nil ? nil : all }
            guard bytes.count - position >= count + 2, bytes[position + count] == 0x0D,
                bytes[position + count + 1] == 0x0A
            else { return nil }
            all += bytes[position..<position + count]
            position += count + 2
        }
        return nil
    }

    // MARK: - Lines

    /// §5; nil when a line is none, or the empty line does not come.
    private mutating func fields() -> [Field]? {
        var fields: [Field] = []
        while let line = line() {
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), Self.isToken(line[..<colon]) else {
                return nil
            }
            let value = line[(colon + 1)...].drop(while: Self.isBlank)
            let end = value.lastIndex { !Self.isBlank($0) }.map { $0 + 1 } ?? value.startIndex
            fields.append(
                Field(
                    name: String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                    value: String(decoding: value[..<end], as: UTF8.self)))
        }
        return nil
    }

    /// Up to CR LF; nil when that does not come, or after a control character.
    private mutating func line() -> ArraySlice<UInt8>? {
        var end = position
        while end + 1 < bytes.count {
            if bytes[end] == 0x0D {
                guard bytes[end + 1] == 0x0A else { return nil }
                defer { position = end + 2 }
                return bytes[position..<end]
            }
            if (bytes[end] < 0x20 && bytes[end] != 0x09) || bytes[end] == 0x7F { return nil }
            end += 1
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// RFC 9110 §5.6.2
    private static func isToken(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty
            && text.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }
}
