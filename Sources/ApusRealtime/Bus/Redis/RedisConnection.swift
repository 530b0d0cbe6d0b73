import DequeModule
import NIOCore
import NIOPosix
import NIOSSL

/// A connection to Redis: commands in, answers out, in order.
///
/// A client of our own over NIO and not hiredis: of a client the bus needs ten commands and a parser of a hundred
/// lines; NIO brings sockets, TLS and time without another system library to install and to keep patched.
final class RedisConnection: Sendable {
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    /// Connects, with TLS, password and database as the address says.
    ///
    /// - Parameter push: takes what comes unasked; then the connection is for subscriptions alone.
    static func connect(
        _ address: RedisAddress, on group: any EventLoopGroup,
        push: (@Sendable (RESPValue) -> Void)? = nil
    ) async throws -> RedisConnection {
        let tls = address.usesTLS ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.seconds(3))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // What may wait for a slow Redis before messages are dropped.
            .channelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        // A name is checked against the certificate; an address cannot be sent as one.
                        let handler =
                            try (try? NIOSSLClientHandler(context: tls, serverHostname: address.host))
                            ?? NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try pipeline.addHandler(handler)
                    }
                    try pipeline.addHandler(ByteToMessageHandler(RESPDecoder()))
                    try pipeline.addHandler(RedisHandler(push: push))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: address.host, port: address.port).get()
        } catch {
            throw RedisFailure(message: "Redis cannot be reached at \(address.host), port \(address.port).")
        }
        let connection = RedisConnection(channel)
        do {
            try await connection.introduce(address)
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    /// Whether there is room to send without piling up.
    var isWritable: Bool { channel.isWritable }

    /// Sends a command and waits for its answer.
    ///
    /// - Throws: `RedisFailure`, also for an error that Redis answers.
    @discardableResult
    func send(_ words: [[UInt8]], within limit: TimeAmount = .seconds(5)) async throws -> RESPValue {
        let answer = channel.eventLoop.makePromise(of: RESPValue.self)
        let deadline = channel.eventLoop.scheduleTask(in: limit) { [channel] in
            answer.fail(RedisFailure.late)
            channel.close(promise: nil)
        }
        channel.writeAndFlush(RedisCommand(words: words, answer: answer), promise: nil)
        defer { deadline.cancel() }
        let value = try await withTaskCancellationHandler {
            try await answer.futureResult.get()
        } onCancel: {
            answer.fail(CancellationError())
        }
        if case .error(let message) = value { throw RedisFailure(message: "Redis: \(message)") }
        return value
    }

    /// Sends a command whose answer nobody waits for, or that has none.
    func post(_ words: [[UInt8]]) {
        channel.writeAndFlush(RedisCommand(words: words, answer: nil), promise: nil)
    }

    func close() { channel.close(promise: nil) }

    /// Returns when it has ended.
    func ended() async {
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func introduce(_ address: RedisAddress) async throws {
        // A subscriber's commands are answered as pushes, so these come before it becomes one.
        if let password = address.password {
            let words = ["AUTH"] + (address.user.map { [$0] } ?? []) + [password]
            try await send(words.map { Array($0.utf8) })
        }
        if address.database != 0 { try await send(["SELECT", "\(address.database)"].map { Array($0.utf8) }) }
    }
}

/// What goes to Redis.
private struct RedisCommand: Sendable {
    var words: [[UInt8]]
    var answer: EventLoopPromise<RESPValue>?
}

/// Matches answers with commands.
private final class RedisHandler: ChannelDuplexHandler {
    typealias InboundIn = RESPValue
    typealias OutboundIn = RedisCommand
    typealias OutboundOut = ByteBuffer

    private var waiting: Deque<EventLoopPromise<RESPValue>?> = []
    private let push: (@Sendable (RESPValue) -> Void)?

    init(push: (@Sendable (RESPValue) -> Void)?) { self.push = push }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let command = unwrapOutboundIn(data)
        var buffer = context.channel.allocator.buffer(
            capacity: command.words.reduce(16) { $0 + $1.count + 16 })
        buffer.writeString("*\(command.words.count)\r\n")
        for word in command.words {
            buffer.writeString("$\(word.count)\r\n")
            buffer.writeBytes(word)
            buffer.writeString("\r\n")
        }
        // A subscriber's commands are answered by pushes.
        if push == nil || command.answer != nil { waiting.append(command.answer) }
        let written = promise ?? context.eventLoop.makePromise()
        let answer = command.answer
        written.futureResult.whenFailure { _ in answer?.fail(RedisFailure.lost) }
        context.write(wrapOutboundOut(buffer), promise: written)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let value = unwrapInboundIn(data)
        if waiting.isEmpty {
            push?(value)
        } else {
            waiting.removeFirst()?.succeed(value)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        failAll(RedisFailure.lost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failAll(error as? RedisFailure ?? .lost)
        context.close(promise: nil)
    }

    private func failAll(_ failure: RedisFailure) {
        while let next = waiting.popFirst() { next?.fail(failure) }
    }
}
