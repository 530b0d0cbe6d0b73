import NIOCore

/// Stands alone in the pipeline of one WebSocket: reads frames, joins them to messages, answers pings, keeps deadlines.
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let socket: WebSocket
    private let makeReceiver: WebSocketUpgrade.MakeReceiver
    private let clock: WebSocketClock
    private var receiver: (any WebSocketReceiver)?
    private var frames: WebSocketFrameReader
    private var assembler: WebSocketAssembler
    private var lastActivity: NIODeadline
    private var pinged: NIODeadline?
    private var isFailed = false

    init(_ socket: WebSocket, clock: WebSocketClock, makeReceiver: @escaping WebSocketUpgrade.MakeReceiver) {
        self.socket = socket
        self.clock = clock
        self.makeReceiver = makeReceiver
        frames = WebSocketFrameReader(frameBytes: socket.limits.frameBytes)
        assembler = WebSocketAssembler(messageBytes: socket.limits.messageBytes)
        lastActivity = socket.eventLoop.now
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        socket.attach(context)
        clock.add(self)
        receiver = makeReceiver(socket)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        socket.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: socket.beginClose(.goingAway, "the server is stopping")
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: - Frames

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isFailed else { return }
        lastActivity = socket.eventLoop.now
        pinged = nil
        frames.append(unwrapInboundIn(data))
        do throws(WebSocketFrameReader.Failure) {
            while !isFailed, let frame = try frames.next() { take(assembler.receive(frame)) }
        } catch {
            switch error {
            case .tooLarge: fail(.messageTooLarge, "the frame is too large")
            case .badControl: fail(.protocolError, "a control frame that is too long or in parts")
            }
        }
    }

    private func take(_ action: WebSocketAssembler.Action) {
        switch action {
        case .wait, .alive: break
        case .text(let bytes): if !socket.hasClosed { receiver?.receive(text: bytes) }
        case .binary(let bytes): if !socket.hasClosed { receiver?.receive(binary: bytes) }
        case .pong(let bytes): socket.send(.pong(Array(bytes.readableBytesView)))
        case .closed(let code): socket.finishClose(code)
        case .fail(let code, let reason): fail(code, reason)
        }
    }

    // MARK: - Deadlines

    /// Called by the loop's clock.
    func tick(_ now: NIODeadline) {
        guard !socket.hasClosed else { return }
        if let pinged {
            if now >= pinged + socket.limits.pongTimeout { return socket.abort() }
        } else if now >= lastActivity + socket.limits.pingInterval {
            pinged = now
            socket.send(.ping())
        }
        receiver?.tick(now)
    }

    // MARK: - Non public

    private func fail(_ code: WebSocketCloseCode, _ reason: String) {
        isFailed = true
        socket.beginClose(code, reason)
    }

    private func end() {
        clock.remove(self)
        socket.detach()
        receiver?.closed()
        receiver = nil
    }
}
