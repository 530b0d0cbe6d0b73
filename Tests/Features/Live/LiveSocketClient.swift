import ApusHTTP
import ApusTestSupport
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A client of `/live/v1` over a real connection.
final class LiveSocketClient: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isOpen = false
        var head = ""
        var messages: [JSON] = []
        var closeCode: Int?
        var isOver = false
    }

    private let state = Mutex(State())
    private let channel: any Channel

    /// Opens a connection and returns when the handshake has been answered.
    static func open(
        _ listener: HTTPServer.Listener, _ fields: [(name: String, value: String)] = [], query: String = ""
    ) async throws -> LiveSocketClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: listener.port).get()
        let client = LiveSocketClient(channel)
        try await channel.pipeline.addHandler(Receiver(client)).get()
        var head =
            "GET /live/v1\(query) HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        try await channel.writeAndFlush(ByteBuffer(string: head + "\r\n"))
        _ = try await eventually { client.state.withLock { $0.isOpen || $0.isOver } }
        return client
    }

    private init(_ channel: any Channel) { self.channel = channel }

    // MARK: - Asking

    /// Of the handshake.
    var head: String { state.withLock { $0.head } }
    var messages: [JSON] { state.withLock { $0.messages } }
    var closeCode: Int? { state.withLock { $0.closeCode } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// The first message of this type, and of this follow if one is named, after those that were there before.
    func first(_ type: String, _ id: String? = nil, after count: Int = 0) async throws -> JSON? {
        func find() -> JSON? {
            messages.dropFirst(count).first {
                $0["type"] == .string(type) && (id == nil || $0["id"] == id.map { .string($0) })
            }
        }
        _ = try await eventually { find() != nil }
        return find()
    }

    // MARK: - Sending

    func send(_ message: JSON) { send(opcode: 1, Array(message.written.utf8)) }

    func send(_ text: String) { send(opcode: 1, Array(text.utf8)) }

    func follow(_ id: String, _ target: String, _ more: [String: JSON] = [:]) {
        var members: [String: JSON] = [
            "type": "follow", "id": .string(id), "url": .string("/rest/v1/" + target),
        ]
        members.merge(more) { $1 }
        send(.object(members))
    }

    /// A masked frame (RFC 6455 §5.3).
    func send(opcode: UInt8, _ payload: [UInt8]) {
        var frame = ByteBuffer()
        frame.writeInteger(0x80 | opcode)
        switch payload.count {
        case ..<126: frame.writeInteger(0x80 | UInt8(payload.count))
        case ..<65_536:
            frame.writeInteger(UInt8(0x80 | 126))
            frame.writeInteger(UInt16(payload.count))
        default:
            frame.writeInteger(UInt8(0x80 | 127))
            frame.writeInteger(UInt64(payload.count))
        }
        let mask: [UInt8] = [1, 2, 3, 4]
        frame.writeBytes(mask + payload.enumerated().map { $1 ^ mask[$0 % 4] })
        channel.writeAndFlush(frame, promise: nil)
    }

    func leave() { channel.close(promise: nil) }

    // MARK: - Receiving

    private func receive(_ bytes: ByteBuffer) {
        let pings = state.withLock { state -> [[UInt8]] in
            var pings: [[UInt8]] = []
            state.bytes += bytes.readableBytesView
            if !state.isOpen {
                guard let end = state.bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
                state.head = String(decoding: state.bytes[..<end.lowerBound], as: UTF8.self)
                state.bytes.removeSubrange(..<end.upperBound)
                state.isOpen = true
            }
            while let (opcode, payload, length) = Self.frame(state.bytes) {
                state.bytes.removeSubrange(..<length)
                if opcode == 1, let message = try? JSON(payload) { state.messages.append(message) }
                if opcode == 8, payload.count >= 2 {
                    state.closeCode = Int(payload[0]) << 8 | Int(payload[1])
                }
                if opcode == 9 { pings.append(payload) }
            }
            return pings
        }
        // Whoever does not answer is taken for gone.
        for ping in pings { send(opcode: 10, ping) }
    }

    private static func frame(_ bytes: [UInt8]) -> (opcode: UInt8, payload: [UInt8], length: Int)? {
        guard bytes.count >= 2 else { return nil }
        var (start, length) = (2, Int(bytes[1]))
        if length > 125 {
            let size = length == 126 ? 2 : 8
            guard bytes.count >= 2 + size else { return nil }
            length = bytes[2..<(2 + size)].reduce(0) { $0 << 8 | Int($1) }
            start = 2 + size
        }
        guard bytes.count >= start + length else { return nil }
        return (bytes[0] & 0xF, Array(bytes[start..<(start + length)]), start + length)
    }

    private final class Receiver: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let client: LiveSocketClient

        init(_ client: LiveSocketClient) { self.client = client }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            client.receive(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) { client.state.withLock { $0.isOver = true } }
    }
}

/// What a client of live reads has, as docs/live.md says to keep it.
struct LiveReplica {
    private(set) var rows: [JSON] = []
    private(set) var cursor: String?

    /// Takes in a message of `/live/v1`.
    mutating func take(_ message: JSON) {
        cursor = message["cursor"]?.text ?? cursor
        switch message["type"]?.text {
        case "snapshot": rows = message["data"]?.items ?? []
        case "changes": apply(message["data"] ?? [])
        default: break
        }
    }

    /// Out with every row that is named, then in at the index.
    mutating func apply(_ changes: JSON) {
        for change in changes.items {
            let id = change["key"]?["id"] ?? change["row"]?["id"]
            rows.removeAll { $0["id"] == id }
        }
        for change in changes.items {
            guard case .number(let index)? = change["index"], let row = change["row"] else { continue }
            rows.insert(row, at: Int(index))
        }
    }

    /// The rows after all messages of one follow.
    static func rows(of id: String, in messages: [JSON]) -> [JSON] {
        var replica = LiveReplica()
        for message in messages where message["id"] == .string(id) { replica.take(message) }
        return replica.rows
    }
}

extension TestServer {
    /// Opens the server's door for real connections.
    func listen() async throws -> HTTPServer.Listener {
        try await HTTPServer(
            configuration: .init(host: "127.0.0.1", port: 0), group: .singleton, logger: Logger(label: "test")
        ) { exchange in self.respond(to: exchange) }.listen()
    }
}
