import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import ApusHTTP

/// What is recognized without the decoder, and what is left to it.
struct HTTP1RecognizerTests {
    private func recognize(
        _ text: String, _ limits: HTTPLimits = HTTPLimits()
    ) -> HTTP1Recognizer.Recognized? {
        var recognizer = HTTP1Recognizer(limits: limits)
        return Array(text.utf8).withUnsafeBytes { recognizer.recognize($0) }
    }

    @Test func aPlainRequestIsRecognized() throws {
        let text = "GET /rest/v1/t?id=eq.1 HTTP/1.1\r\nHost: a\r\nAccept:  */* \t\r\nX-Empty:\r\n\r\nrest"
        let found = try #require(recognize(text))
        #expect(found.method == .GET)
        #expect(Array(text.utf8)[found.target] == Array("/rest/v1/t?id=eq.1".utf8)[...])
        #expect(found.headLength == text.utf8.count - 4)
        #expect(found.bodyLength == 0)
        #expect(found.fields.headers.first(name: "accept") == "*/*")
        #expect(found.fields.headers.first(name: "x-empty") == "")
    }

    @Test func aBodyHasItsDeclaredLength() throws {
        let found = try #require(
            recognize("POST /a HTTP/1.1\r\nhost: a\r\nCONTENT-LENGTH: 0012\r\n\r\n"))
        #expect(found.bodyLength == 12)
    }

    @Test(arguments: [
        // Not complete.
        "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r", "GET /", "",
        // Framing by other means than one plain Content-Length.
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: identity\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        // Lines that can be read in two ways.
        "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: é\r\n\r\n",
        "GET / HTTP/1.1\r\nNoColon\r\nHost: a\r\n\r\n",
        // Request lines of other forms.
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "get / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        // Hosts, and what asks for more than an answer.
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
    ])
    func everythingElseIsLeftToTheDecoder(_ text: String) {
        #expect(recognize(text) == nil)
    }

    @Test func limitsAreLeftToTheDecoder() {
        var limits = HTTPLimits()
        limits.targetBytes = 8
        limits.headerBytes = 40
        limits.bodyBytes = 10
        #expect(recognize("GET /2345678 HTTP/1.1\r\nHost: a\r\n\r\n", limits) != nil)
        #expect(recognize("GET /23456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits) == nil)
        #expect(
            recognize("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 30))\r\n\r\n", limits)
                == nil)
        #expect(recognize("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", limits) == nil)
    }

    @Test func equalFieldsAreReadOnce() throws {
        var recognizer = HTTP1Recognizer(limits: HTTPLimits())
        func fields(_ text: String) -> HTTPFields? {
            Array(text.utf8).withUnsafeBytes { recognizer.recognize($0) }?.fields
        }
        let first = try #require(fields("GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n"))
        #expect(fields("PUT /b?c HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\nGET") === first)
        let second = try #require(fields("GET /a HTTP/1.1\r\nHost: a\r\nX: 2\r\n\r\n"))
        #expect(second !== first)
        #expect(second.headers.first(name: "x") == "2")
        // What begins with the same fields and has more is not the same.
        let third = try #require(fields("GET /a HTTP/1.1\r\nHost: a\r\nX: 2\r\nY: 3\r\n\r\n"))
        #expect(third.headers.first(name: "y") == "3")
    }
}

/// Requests by way of recognizer and decoder, mixed on one connection.
struct HTTP1FrontTests {
    private static let requests = [
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n",
        "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    private static let expected = ["/1", "/2 hello", "/3", "/4 world", "/5"]

    /// However the bytes are cut, the same requests come out, in their order.
    @Test(arguments: 1...40) func piecesMakeTheSameRequests(_ size: Int) throws {
        let seen = Mutex<[String]>([])
        let channel = EmbeddedChannel()
        let connection = HTTP1ConnectionHandler(
            limits: HTTPLimits(), gate: ConnectionGate(limit: 1)
        ) { exchange in
            let body = exchange.request.body.map { " " + String(buffer: $0) } ?? ""
            seen.withLock { $0.append(exchange.request.target + body) }
            exchange.respond(HTTPResponse(status: 204))
        }
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        try channel.pipeline.syncOperations.addHandlers([
            HTTP1FrontHandler(connection, limits: HTTPLimits()), decoder, connection,
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        var bytes = Array(Self.requests.joined().utf8)[...]
        while !bytes.isEmpty {
            try channel.writeInbound(ByteBuffer(bytes: bytes.prefix(size)))
            bytes = bytes.dropFirst(size)
        }
        #expect(seen.withLock { $0 } == Self.expected)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}
