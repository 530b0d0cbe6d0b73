import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Recognizes the common request of HTTP/1.1 in one pass over its bytes: a complete head in its plainest form, with no
/// body or one of declared length. It accepts a strict part of what RFC 9112 allows, in which nothing can be read in two
/// ways, and leaves all else to NIO's decoder: other versions, `Transfer-Encoding`, `Upgrade`, `Expect`, `Connection`
/// other than `keep-alive`, folded lines, bytes outside ASCII, a missing or second `Host`, heads in pieces.
///
/// The fields of one request mostly equal those of the one before it, byte for byte; then they are not read again.
struct HTTP1Recognizer {
    /// A request whose head is complete and plain.
    struct Recognized {
        var method: HTTPMethod
        var target: Range<Int>
        var fields: HTTPFields
        /// Bytes of the head.
        var headLength: Int
        /// As `Content-Length` says; 0 without.
        var bodyLength: Int
    }

    private let limits: HTTPLimits
    /// The fields of the last request with all line ends, the empty line included…
    private var lastBlock: [UInt8] = []
    /// …and what they were read as.
    private var last: Block?

    private struct Block {
        var fields: HTTPFields
        var bodyLength: Int
    }

    init(limits: HTTPLimits) { self.limits = limits }

    /// The request at the start of `bytes`; nil when it is not of the common form, or its head is not complete.
    mutating func recognize(_ bytes: UnsafeRawBufferPointer) -> Recognized? {
        guard let method = Self.method(bytes) else { return nil }
        let start = method.rawValue.utf8.count + 1
        guard let end = endOfTarget(bytes, from: start) else { return nil }
        let version: StaticString = " HTTP/1.1\r\n"
        guard Self.matches(bytes, version, at: end) else { return nil }
        let headEnd = end + version.utf8CodeUnitCount
        guard let (block, length) = block(UnsafeRawBufferPointer(rebasing: bytes[headEnd...])) else {
            return nil
        }
        return Recognized(
            method: method, target: start..<end, fields: block.fields, headLength: headEnd + length,
            bodyLength: block.bodyLength)
    }

    // MARK: - The request line

    private static func method(_ bytes: UnsafeRawBufferPointer) -> HTTPMethod? {
        if matches(bytes, "GET ", at: 0) { return .GET }
        if matches(bytes, "POST ", at: 0) { return .POST }
        if matches(bytes, "PATCH ", at: 0) { return .PATCH }
        if matches(bytes, "DELETE ", at: 0) { return .DELETE }
        if matches(bytes, "PUT ", at: 0) { return .PUT }
        if matches(bytes, "HEAD ", at: 0) { return .HEAD }
        return nil
    }

    /// Where the target ends that begins here: a slash and visible ASCII (origin-form, RFC 9112 §3.2.1).
    private func endOfTarget(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "/") else { return nil }
        var index = start + 1
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: " ") { return index - start <= limits.targetBytes ? index : nil }
            guard byte > 0x20, byte < 0x7F else { return nil }
            index += 1
        }
        return nil
    }

    // MARK: - The fields

    /// A longer block is read by the library.
    private static let longestBlock = 16_384

    /// The fields at the start of `bytes`, and their length.
    private mutating func block(_ bytes: UnsafeRawBufferPointer) -> (Block, Int)? {
        if let last, bytes.count >= lastBlock.count,
            lastBlock.withUnsafeBytes({ isSame($0, bytes, $0.count) })
        {
            return (last, lastBlock.count)
        }
        guard let (block, length) = read(bytes) else { return nil }
        last = block
        lastBlock = Array(bytes[..<length])
        return (block, length)
    }

    private func read(_ bytes: UnsafeRawBufferPointer) -> (Block, Int)? {
        var headers: [(String, String)] = []
        var hosts = 0
        var bodyLength: Int?
        var index = 0
        while true {
            if Self.matches(bytes, "\r\n", at: index) { break }
            guard let line = Self.line(bytes, from: index), line.end <= Self.longestBlock else { return nil }
            let name = UnsafeRawBufferPointer(rebasing: bytes[line.name])
            let value = UnsafeRawBufferPointer(rebasing: bytes[line.value])
            switch Self.kind(of: name) {
            case .host:
                guard RequestFraming.isHost(value) else { return nil }
                hosts += 1
            case .contentLength:
                guard bodyLength == nil, let length = Self.number(value), length <= limits.bodyBytes else {
                    return nil
                }
                bodyLength = length
            case .connection:
                guard Self.isField(value, "keep-alive") else { return nil }
            case .notOurs: return nil
            case .other: break
            }
            headers.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            index = line.end
        }
        guard hosts == 1, index + headers.count * 2 <= limits.headerBytes else { return nil }
        return (Block(fields: HTTPFields(HTTPHeaders(headers)), bodyLength: bodyLength ?? 0), index + 2)
    }

    private enum Kind {
        case host, contentLength, connection, notOurs, other
    }

    private static func kind(of name: UnsafeRawBufferPointer) -> Kind {
        switch name.count {
        case 4 where isField(name, "host"): .host
        case 6 where isField(name, "expect"): .notOurs
        case 7 where isField(name, "upgrade"): .notOurs
        case 10 where isField(name, "connection"): .connection
        case 14 where isField(name, "content-length"): .contentLength
        case 17 where isField(name, "transfer-encoding"): .notOurs
        default: .other
        }
    }

    /// One field line (RFC 9112 §5): where name and value lie, and where the next line begins.
    private static func line(
        _ bytes: UnsafeRawBufferPointer, from start: Int
    ) -> (name: Range<Int>, value: Range<Int>, end: Int)? {
        var index = start
        while index < bytes.count, isTokenByte(bytes[index]) { index += 1 }
        guard index > start, index < bytes.count, bytes[index] == UInt8(ascii: ":") else { return nil }
        let name = start..<index
        index += 1
        while index < bytes.count, isBlank(bytes[index]) { index += 1 }
        let valueStart = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\r") {
            guard bytes[index] >= 0x20 && bytes[index] < 0x7F || bytes[index] == 0x09 else { return nil }
            index += 1
        }
        guard matches(bytes, "\r\n", at: index) else { return nil }
        var valueEnd = index
        while valueEnd > valueStart, isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        return (name, valueStart..<valueEnd, index + 2)
    }

    // MARK: - Bytes

    private static func matches(
        _ bytes: UnsafeRawBufferPointer, _ text: StaticString, at index: Int
    ) -> Bool {
        let length = text.utf8CodeUnitCount
        guard bytes.count - index >= length else { return false }
        for offset in 0..<length where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    /// Whether `bytes` are this text in any case of letters; the text is in lower case.
    private static func isField(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count {
            let byte = bytes[index]
            let isUpper = byte &- UInt8(ascii: "A") < 26
            if (isUpper ? byte | 0x20 : byte) != text.utf8Start[index] { return false }
        }
        return true
    }

    /// Digits only (RFC 9110 §8.6).
    private static func number(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 15 else { return nil }
        var number = 0
        for byte in bytes {
            guard byte &- UInt8(ascii: "0") < 10 else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// RFC 9110 §5.6.2
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "^"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

/// Whether the first `count` bytes of both are the same.
private func isSame(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ count: Int) -> Bool {
    guard let left = one.baseAddress, let right = other.baseAddress else { return count == 0 }
    return memcmp(left, right, count) == 0
}
