import NIOCore
import NIOPosix
import Synchronization

/// A mail server that says what a test wants it to say, for what a real one does not do on request.
final class ScriptedMailServer: Sendable {
    /// What it answers to a line; nil: nothing, ever.
    typealias Script = @Sendable (_ line: String) -> String?

    let port: Int
    private let channel: any Channel
    private let heard = Mutex<[String]>([])

    private init(channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    static func start(
        greeting: String? = "220 test\r\n", _ script: @escaping Script
    ) async throws -> ScriptedMailServer {
        let box = Mutex<ScriptedMailServer?>(nil)
        let holder = Holder(box: { line in box.withLock { $0 }?.note(line) })
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(greeting: greeting, script: script, note: holder.box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedMailServer(channel: channel)
        box.withLock { $0 = server }
        return server
    }

    /// The lines that came.
    var lines: [String] { heard.withLock { $0 } }

    func stop() async { try? await channel.close() }

    private func note(_ line: String) { heard.withLock { $0.append(line) } }

    private struct Holder: Sendable { let box: @Sendable (String) -> Void }

    /// Answers all commands as a willing server does, but for those that `script` answers.
    static func willing(_ script: @escaping Script = { _ in "" }) -> Script {
        { line in
            if let reply = script(line) { if !reply.isEmpty { return reply } } else { return nil }
            switch line.split(separator: " ").first?.uppercased() {
            case "EHLO": return "250-test\r\n250 SIZE 1000000\r\n"
            case "DATA": return "354 go on\r\n"
            case "QUIT": return "221 bye\r\n"
            default: return "250 ok\r\n"
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let greeting: String?
        private let script: Script
        private let note: @Sendable (String) -> Void
        private var bytes: [UInt8] = []
        private var isData = false

        init(greeting: String?, script: @escaping Script, note: @escaping @Sendable (String) -> Void) {
            self.greeting = greeting
            self.script = script
            self.note = note
        }

        func channelActive(context: ChannelHandlerContext) {
            if let greeting { context.writeAndFlush(NIOAny(ByteBuffer(string: greeting)), promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
            while let end = bytes.firstIndex(of: 10) {
                let line = String(decoding: bytes[..<end].filter { $0 != 13 }, as: UTF8.self)
                bytes.removeFirst(end + 1)
                note(line)
                if isData {
                    guard line == "." else { continue }
                    isData = false
                }
                guard let reply = script(line) else { continue }
                isData = reply.hasPrefix("354")
                context.writeAndFlush(NIOAny(ByteBuffer(string: reply)), promise: nil)
                if reply.hasPrefix("421") { context.close(promise: nil) }
            }
        }
    }
}
