import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import ApusHTTP

@Suite("A connection that becomes a WebSocket")
struct WebSocketConnectionTests {
    /// Says everything back, and remembers what it was told.
    private final class Echo: WebSocketReceiver {
        let socket: WebSocket
        var isClosed = false
        init(_ socket: WebSocket) { self.socket = socket }
        func receive(text: ByteBuffer) { socket.send(.text(Array(text.readableBytesView))) }
        func receive(binary: ByteBuffer) { socket.send(.binary(Array(binary.readableBytesView))) }
        func closed() { isClosed = true }
    }

    /// The server's side of one connection, on an event loop whose time is the test's.
    ///
    /// Sendable: an embedded event loop runs on the test's own thread.
    private final class Connection: @unchecked Sendable {
        let channel = EmbeddedChannel()
        var echo: Echo?

        init(_ limits: WebSocketLimits = .init()) throws {
            let handler = HTTP1ConnectionHandler(limits: .init(), gate: ConnectionGate(limit: 10)) {
                [unowned self] exchange in
                exchange.respond(
                    WebSocketUpgrade.response(to: exchange.request, limits: limits) { socket in
                        let echo = Echo(socket)
                        self.echo = echo
                        return echo
                    })
            }
            let arrival = HTTP1FrontHandler(handler, limits: HTTPLimits())
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
            handler.leavesWithIt = [arrival, decoder]
            try channel.pipeline.syncOperations.addHandlers([arrival, decoder, handler])
            try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func send(_ bytes: [UInt8]) throws {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            channel.embeddedEventLoop.run()
        }

        func send(_ text: String) throws { try send(Array(text.utf8)) }

        func received() throws -> [UInt8] {
            var all: [UInt8] = []
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                all += buffer.readableBytesView
            }
            return all
        }

        func receivedText() throws -> String { String(decoding: try received(), as: UTF8.self) }
    }

    private static let request =
        "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    /// A masked frame (RFC 6455 §5.3).
    private static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        return [0x80 | opcode, 0x80 | UInt8(payload.count)] + mask
            + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    @Test("The handshake gives the key of RFC 6455 §1.3, and frames go both ways")
    func handshake() throws {
        let connection = try Connection()
        try connection.send(Self.request)
        let head = try connection.receivedText()
        #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(!head.contains("Content-Length"))
        try connection.send(Self.frame(1, Array("hello".utf8)))
        #expect(try connection.received() == [0x81, 5] + Array("hello".utf8))
    }

    @Test("Frames that come with the request are not lost")
    func eager() throws {
        let connection = try Connection()
        try connection.send(Array(Self.request.utf8) + Self.frame(2, [1, 2, 3]) + Self.frame(9, [9]))
        #expect(Array(try connection.received().suffix(8)) == [0x82, 3, 1, 2, 3, 0x8A, 1, 9])
    }

    @Test("What is no handshake is refused, and the connection ends")
    func refusals() throws {
        let plain = try Connection()
        try plain.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try plain.receivedText().hasPrefix("HTTP/1.1 426 "))
        let old = try Connection()
        try old.send(Self.request.replacing("Version: 13", with: "Version: 8"))
        #expect(try old.receivedText().contains("Sec-WebSocket-Version: 13\r\n"))
        let keyless = try Connection()
        try keyless.send(Self.request.replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "abc"))
        #expect(try keyless.receivedText().hasPrefix("HTTP/1.1 400 "))
    }

    @Test("A close is answered with the same code, and the receiver hears of the end")
    func close() throws {
        let connection = try Connection()
        try connection.send(Self.request)
        _ = try connection.received()
        try connection.send(Self.frame(8, [0x03, 0xE8]))
        #expect(try connection.received() == [0x88, 2, 0x03, 0xE8])
        connection.channel.embeddedEventLoop.run()
        #expect(connection.echo?.isClosed == true)
    }

    @Test("A frame that is too large ends with 1009 before its bytes are there")
    func tooLarge() throws {
        let connection = try Connection(.init(frameBytes: 100))
        try connection.send(Self.request)
        _ = try connection.received()
        try connection.send([0x82, 0xFE, 0x01, 0x00])
        #expect(Array(try connection.received().prefix(4).suffix(2)) == [0x03, 0xF1])
    }

    @Test("A draining server says 1001")
    func draining() throws {
        let connection = try Connection()
        try connection.send(Self.request)
        _ = try connection.received()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(Array(try connection.received().prefix(4).suffix(2)) == [0x03, 0xE9])
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!connection.channel.isActive)
    }

    @Test("A silent client is pinged, and left when it does not answer")
    func silence() throws {
        let connection = try Connection(.init(pingInterval: .seconds(10), pongTimeout: .seconds(5)))
        try connection.send(Self.request)
        _ = try connection.received()
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        #expect(try connection.received() == [0x89, 0])
        try connection.send(Self.frame(0xA, []))
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(connection.channel.isActive)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        #expect(!connection.channel.isActive)
        #expect(connection.echo?.isClosed == true)
    }
}
