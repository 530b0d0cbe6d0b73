import NIOCore
import NIOPosix
import NIOSSL

/// A connection to a mail server: sends commands, waits for replies, each within a limit of time.
final class SMTPConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<SMTPReplyHandler>
    private let settings: SMTPSettings

    private init(_ channel: any Channel, _ handler: NIOLoopBound<SMTPReplyHandler>, _ settings: SMTPSettings)
    {
        self.channel = channel
        self.handler = handler
        self.settings = settings
    }

    /// Connects; with implicit TLS the handshake has begun when it returns.
    static func connect(
        _ settings: SMTPSettings, group: any EventLoopGroup
    ) async throws(DeliveryFailure) -> SMTPConnection {
        do {
            let tls = settings.security == .implicit ? try tlsContext(settings) : nil
            return try await ClientBootstrap(group: group)
                .connectTimeout(.init(min(settings.timeout, .seconds(10))))
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .connect(host: settings.host, port: settings.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = SMTPReplyHandler()
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(tlsHandler(tls, settings))
                        }
                        try channel.pipeline.syncOperations.addHandler(handler)
                        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                        return SMTPConnection(channel, bound, settings)
                    }
                }
        } catch {
            throw .unreachable("the mail server cannot be reached: \(error)")
        }
    }

    // MARK: - Talking

    var isOpen: Bool { channel.isActive }

    func close() { channel.close(promise: nil) }

    /// Sends a line and waits for the reply. The line holds no line break: nothing can be smuggled in as a command of
    /// its own.
    func command(_ line: String) async throws(DeliveryFailure) -> SMTPReply {
        guard !line.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
            throw .permanent("an address holds a line break")
        }
        return try await exchange(ByteBuffer(string: line + "\r\n"))
    }

    /// Sends the content of a message, which ends with a line of its own, and waits for the reply.
    func content(_ bytes: [UInt8]) async throws(DeliveryFailure) -> SMTPReply {
        try await exchange(ByteBuffer(bytes: bytes))
    }

    /// The server's first words.
    func greeting() async throws(DeliveryFailure) -> SMTPReply { try await exchange(nil) }

    /// From here on everything is encrypted. What the server, or somebody on the way, sent before the handshake and
    /// nobody has asked for is not read as if it had come after it (CVE-2011-0411).
    func startTLS() async throws(DeliveryFailure) {
        let (channel, handler, settings) = (channel, handler, settings)
        do {
            let tls = try Self.tlsContext(settings)
            try await channel.eventLoop.submit {
                guard handler.value.isDrained else {
                    throw DeliveryFailure.unreachable("the mail server spoke between STARTTLS and TLS")
                }
                try channel.pipeline.syncOperations.addHandler(
                    Self.tlsHandler(tls, settings), position: .first)
            }.get()
        } catch let failure as DeliveryFailure {
            throw failure
        } catch {
            throw .unreachable("TLS with the mail server cannot be started: \(error)")
        }
    }

    // MARK: - Non public

    private func exchange(_ bytes: ByteBuffer?) async throws(DeliveryFailure) -> SMTPReply {
        let (channel, handler) = (channel, handler)
        let limit = TimeAmount(settings.timeout)
        do {
            return try await withTaskCancellationHandler {
                try await channel.eventLoop.flatSubmit {
                    let reply = handler.value.next(on: channel.eventLoop)
                    let alarm = channel.eventLoop.scheduleTask(in: limit) {
                        handler.value.fail(.unreachable("the mail server did not answer in time"))
                        channel.close(promise: nil)
                    }
                    reply.whenComplete { _ in alarm.cancel() }
                    if let bytes { channel.writeAndFlush(bytes, promise: nil) }
                    return reply
                }.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch let failure as DeliveryFailure {
            throw failure
        } catch {
            throw .unreachable("the connection to the mail server failed: \(error)")
        }
    }

    private static func tlsContext(_ settings: SMTPSettings) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let roots = settings.trustRoots { configuration.trustRoots = roots }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func tlsHandler(
        _ context: NIOSSLContext, _ settings: SMTPSettings
    ) throws -> NIOSSLClientHandler {
        // An address has no server name; its certificate is then checked against the address.
        let isAddress = (try? SocketAddress(ipAddress: settings.host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : settings.host)
    }
}
