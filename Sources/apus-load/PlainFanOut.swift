import NIOCore
import NIOPosix

/// Messages from one publisher to many subscribers, without database and permissions: what brokers do too.
struct PlainFanOut: Sendable {
    /// How a message gets in.
    enum Publisher: Sendable {
        /// A request for each message.
        case http(Target, headers: String, body: @Sendable (Int) -> String)
        /// A frame for each message.
        case socket(Target, hello: [[UInt8]], frame: @Sendable (Int) -> [UInt8])
    }

    var target: Target
    var readyMark: String
    var hello: [[UInt8]]
    var publisher: Publisher

    func run(_ title: String, subscribers: Int, messages: Int) async throws -> String {
        let crowd = Crowd()
        let hello = hello
        try await crowd.gather(subscribers, at: target, readyMark: readyMark) { _ in hello }
        try await Task.sleep(for: .seconds(1))
        let first = crowd.tally
        let start = nanoseconds()
        try await publish(messages, on: crowd)
        let expected = subscribers * messages
        try? await crowd.wait(until: 60) { first.deliveries >= expected }
        let (got, last) = try await crowd.loop.submit { (first.deliveries, first.lastDelivery) }.get()
        try await crowd.disperse()
        let seconds = Double(last - start) / 1e9
        return
            "\(title): \(messages) messages to \(subscribers) subscribers in \(rounded(seconds * 1_000)) ms, "
            + "\(Int(Double(got) / seconds)) deliveries/s, \(got) of \(expected) delivered"
    }

    private func publish(_ messages: Int, on crowd: Crowd) async throws {
        let (target, bytes): (Target, ByteBuffer)
        switch publisher {
        case .http(let place, let headers, let body):
            var all = ""
            for number in 0..<messages {
                let text = body(number)
                all +=
                    "POST \(place.path) HTTP/1.1\r\nHost: \(place.host)\r\n\(headers)Content-Length: \(text.utf8.count)\r\n\r\n"
                    + text
            }
            (target, bytes) = (place, ByteBuffer(string: all))
        case .socket(let place, let hello, let frame):
            var all = ByteBuffer()
            for message in hello + (0..<messages).map(frame) {
                var encoded = Subscriber.frame(message, opcode: 0x2)
                all.writeBuffer(&encoded)
            }
            (target, bytes) = (place, all)
        }
        let isSocket: Bool = if case .socket = publisher { true } else { false }
        _ = try await ClientBootstrap(group: crowd.loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PublishingHandler(target, bytes, upgrades: isSocket))
                }
            }
            .connect(host: target.host, port: target.port).get()
    }
}

/// Sends everything at once; answers are read and dropped.
private final class PublishingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let target: Target
    private let bytes: ByteBuffer
    private var upgrades: Bool

    init(_ target: Target, _ bytes: ByteBuffer, upgrades: Bool) {
        self.target = target
        self.bytes = bytes
        self.upgrades = upgrades
    }

    func channelActive(context: ChannelHandlerContext) {
        guard upgrades else { return context.writeAndFlush(NIOAny(bytes), promise: nil) }
        let head =
            "GET \(target.path) HTTP/1.1\r\nHost: \(target.host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        context.writeAndFlush(NIOAny(ByteBuffer(string: head)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard upgrades else { return }
        upgrades = false
        context.writeAndFlush(NIOAny(bytes), promise: nil)
    }
}
