package import Logging
package import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTP2
package import NIOPosix
package import NIOSSL
import Synchronization

/// Accepts connections and turns requests into exchanges: HTTP/1.1, and HTTP/2 where TLS negotiates it.
///
/// Built on NIO's channel handlers without a task per connection or request: the answer of a data request is
/// one hop away from the database's reactor (see ARCHITECTURE.md, "Why no web framework").
package final class HTTPServer: Sendable {
    /// Where to listen, and within which limits.
    package struct Configuration: Sendable {
        /// `server-host`
        package var host: String
        /// `server-port`; 0 lets the system choose.
        package var port: Int
        package var limits: HTTPLimits
        /// nil: without TLS, and so without HTTP/2.
        package var tls: TLSConfiguration?

        package init(host: String, port: Int, limits: HTTPLimits = .init(), tls: TLSConfiguration? = nil) {
            self.host = host
            self.port = port
            self.limits = limits
            self.tls = tls
        }
    }

    private let configuration: Configuration
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger
    private let respond: @Sendable (HTTPExchange) -> Void
    /// Counts the connections.
    package let gate: ConnectionGate
    private let clocks = WebSocketClocks()

    /// - Parameter respond: called on a connection's event loop with each request; must not block.
    package init(
        configuration: Configuration, group: MultiThreadedEventLoopGroup, logger: Logger,
        respond: @escaping @Sendable (HTTPExchange) -> Void
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.respond = respond
        gate = ConnectionGate(limit: configuration.limits.connections)
    }

    /// A server that listens.
    package final class Listener: Sendable {
        private let channel: any Channel
        /// Its end completes a promise, so it must not outlive the event loops; ``drain(within:)`` lets go of it.
        private let quiescing: Mutex<ServerQuiescingHelper?>

        fileprivate init(channel: any Channel, quiescing: ServerQuiescingHelper) {
            self.channel = channel
            self.quiescing = Mutex(quiescing)
        }

        /// The port that is listened on.
        package var port: Int { channel.localAddress?.port ?? 0 }

        /// Takes no new connections, answers what is in flight, closes; waits for that as long as `limit`.
        package func drain(within limit: TimeAmount) async {
            guard let quiescing = quiescing.withLock({ $0.take() }) else { return }
            let done = channel.eventLoop.makePromise(of: Void.self)
            quiescing.initiateShutdown(promise: done)
            let timeout = channel.eventLoop.scheduleTask(in: limit) { done.succeed(()) }
            try? await done.futureResult.get()
            timeout.cancel()
        }
    }

    /// Binds and accepts.
    ///
    /// - Throws: what the system says when the address cannot be bound.
    package func listen() async throws -> Listener {
        let quiescing = ServerQuiescingHelper(group: group)
        let sslContext = try configuration.tls.map { tls in
            var tls = tls
            tls.applicationProtocols = NIOHTTP2SupportedALPNProtocols
            return try NIOSSLContext(configuration: tls)
        }
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { [self] channel in accept(channel, sslContext) }
            .bind(host: configuration.host, port: configuration.port)
            .get()
        return Listener(channel: channel, quiescing: quiescing)
    }

    // MARK: - Non public

    private func accept(_ channel: any Channel, _ sslContext: NIOSSLContext?) -> EventLoopFuture<Void> {
        guard gate.enter() else { return channel.close() }
        channel.closeFuture.whenComplete { [gate] _ in gate.leave() }
        guard let sslContext else {
            return channel.eventLoop.makeCompletedFuture { try self.speakHTTP1(on: channel) }
        }
        do {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: sslContext))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        let handshake = channel.eventLoop.scheduleTask(in: configuration.limits.readTimeout) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in handshake.cancel() }
        return channel.configureHTTP2SecureUpgrade(
            h2ChannelConfigurator: { channel in
                handshake.cancel()
                return channel.eventLoop.makeCompletedFuture { try self.speakHTTP2(on: channel) }
            },
            http1ChannelConfigurator: { channel in
                handshake.cancel()
                return channel.eventLoop.makeCompletedFuture { try self.speakHTTP1(on: channel) }
            })
    }

    /// Adds the handlers of an HTTP/1.1 connection to a channel of bytes; called on its event loop.
    package func speakHTTP1(on channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let connection = HTTP1ConnectionHandler(
            limits: configuration.limits, gate: gate, clocks: clocks, respond: respond)
        let front = HTTP1FrontHandler(connection, limits: configuration.limits)
        // What follows a request to become a WebSocket is for the next protocol.
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(
                leftOverBytesStrategy: .forwardBytes, limitConfiguration: configuration.limits.ofDecoder))
        connection.leavesWithIt = [front, decoder]
        try pipeline.addHandler(front)
        try pipeline.addHandler(decoder)
        try pipeline.addHandler(connection)
    }

    private func speakHTTP2(on channel: any Channel) throws {
        let limits = configuration.limits
        let respond = self.respond
        let farewell = HTTP2FarewellHandler()
        let connection = HTTP2ConnectionHandler(limits: limits, farewell: farewell)
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(farewell)
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: limits.ofHTTP2, streamConfiguration: .init()
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                bound.value.opened(stream)
                try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try stream.pipeline.syncOperations.addHandler(
                    HTTP2StreamHandler(limits: limits, respond: respond))
            }
        }
        try channel.pipeline.syncOperations.addHandler(connection)
    }
}

extension HTTPLimits {
    /// What the decoder refuses by itself: more than all that is looked at afterwards allows.
    fileprivate var ofDecoder: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = max(limits.maxHeaderFieldSize, targetBytes + 1, headerBytes + 1)
        limits.maxHeaderListSize = max(targetBytes + headerBytes, limits.maxHeaderFieldSize) + 1
        return limits
    }

    /// The same for HTTP/2, where target and fields are one block of headers.
    fileprivate var ofHTTP2: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        let headerList = targetBytes + headerBytes
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerList),
        ]
        let frames = headerList / 16_384 + 1
        configuration.maximumSequentialContinuationFrames = max(
            configuration.maximumSequentialContinuationFrames, frames)
        return configuration
    }
}
