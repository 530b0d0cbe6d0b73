/// Makes up the bytes of a connection: requests that are right, put together and then damaged in the ways by which
/// readers of HTTP have disagreed. The same seed makes the same bytes.
package struct FramingGenerator {
    /// Sebastiano Vigna's SplitMix64: small, and the same everywhere.
    private struct Randomness: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private var randomness: Randomness

    package init(seed: UInt64) { randomness = Randomness(state: seed) }

    package mutating func bytes() -> [UInt8] {
        var text = ""
        for _ in 0..<Int.random(in: 1...3, using: &randomness) { text += message() }
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 0...2, using: &randomness) { damage(&bytes) }
        return bytes
    }

    // MARK: - Non public

    private static let lines = [
        "GET /a HTTP/1.1", "POST /b?x=1 HTTP/1.1", "HEAD / HTTP/1.1", "PUT /c HTTP/1.0", "OPTIONS * HTTP/1.1",
        "GET http://a/d HTTP/1.1", "DELETE HTTPS://a:1?e HTTP/1.1", "CONNECT a:1 HTTP/1.1", "get / HTTP/1.1",
        "GET /", "GET / HTTP/2.0", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "PRI * HTTP/2.0", "GET /é HTTP/1.1",
    ]
    private static let fields = [
        "Host: a", "Host: a", "Host: a", "Host: b", "Host: a, b", "Host:", "Connection: close",
        "Connection: keep-alive", "Content-Length: 5", "Content-Length: 5", "Content-Length: 05",
        "Content-Length: +5", "Content-Length: 5, 5", "Content-Length: 0x5", "Content-Length: -1",
        "Content-Length: 99999999999999999999", "Content-Length : 5", " Content-Length: 5",
        "Content-Length:\t5 ",
        "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "Transfer-Encoding: CHUNKED",
        "Transfer-Encoding : chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity", "Transfer-Encoding:\u{B}chunked",
        "Transfer-Encoding:\r\n chunked", "Transfer_Encoding: chunked", "X: 1\rTransfer-Encoding: chunked",
        "X: 1\nTransfer-Encoding: chunked", "X: \0", "X: a\r\n b", ": x", "X", "X y: z",
        "Expect: 100-continue",
        "Upgrade: websocket", "Upgrade: h2c", "Trailer: Content-Length",
        "X-Long: " + String(repeating: "l", count: 300),
    ]
    private static let bodies = [
        "", "", "hello", "hello", "hell", "hello!", "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n",
        "5;x=y\r\nhello\r\n0;z\r\nContent-Length: 3\r\n\r\n", "05\r\nhello\r\n000\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "-5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    private static let ends = [
        "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", " \r\n", "\r\n ",
    ]
    private static let splices: [[UInt8]] = [
        [0], [0x0A], [0x0D], [0x0D, 0x0A], [0x20], [0x09], [0x3A], [0x0B], [0x85], [0xFF],
        [0x0D, 0x0A, 0x0D, 0x0A],
        Array("\r\nTransfer-Encoding: chunked".utf8), Array("\r\nContent-Length: 2".utf8),
    ]

    private mutating func pick<T>(_ choices: [T]) -> T {
        choices[Int.random(in: choices.indices, using: &randomness)]
    }

    private mutating func message() -> String {
        // Mostly a request that is nearly right: what is wrong in three ways is refused for the first.
        let isSober = Int.random(in: 0..<4, using: &randomness) > 0
        var text = isSober ? Self.lines[Int.random(in: 0..<3, using: &randomness)] : pick(Self.lines)
        text += isSober ? "\r\n" : pick(Self.ends)
        if isSober { text += "Host: a\r\n" }
        for _ in 0..<Int.random(in: 0...(isSober ? 1 : 3), using: &randomness) {
            text += pick(Self.fields) + (isSober ? "\r\n" : pick(Self.ends))
        }
        return text + "\r\n" + pick(Self.bodies)
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: bytes.indices, using: &randomness)
        switch Int.random(in: 0..<5, using: &randomness) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &randomness)
        case 2: bytes.insert(contentsOf: pick(Self.splices), at: place)
        case 3: bytes.removeSubrange(place...)
        default: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
        }
    }
}
