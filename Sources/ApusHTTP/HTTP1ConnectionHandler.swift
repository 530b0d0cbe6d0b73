import NIOCore
import NIOHTTP1

/// Speaks HTTP/1.1 (RFC 9112) on one connection, after NIO's request decoder.
///
/// Requests are collected whole, within the limits, and handed on one at a time: an answer leaves before the
/// next request of the connection starts. Head and body of an answer leave in one buffer, written once; that
/// is why no response encoder stands in the pipeline.
final class HTTP1ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// What is being read from the client.
    private enum Reading {
        case idle
        case body(HTTPRequestHead, ByteBuffer?)
        /// The rest of a request that was already refused; the connection closes after the answer.
        case refused
    }

    /// How a request wants to be answered.
    private struct Manner {
        var keepsAlive = true
        var takesChunks = true
    }

    private let limits: HTTPLimits
    private let respond: @Sendable (HTTPExchange) -> Void
    private let gate: ConnectionGate
    private let clocks: WebSocketClocks
    /// The handlers before this one, which have nothing more to do when the connection becomes a WebSocket.
    var leavesWithIt: [any RemovableChannelHandler] = []

    private var reading = Reading.idle
    private var inFlight: HTTPExchange?
    private var inFlightKeepsAlive = true
    private var inFlightIsHead = false
    private var inFlightTakesChunks = true
    /// The body of the answer under way, when it comes bit by bit.
    private var stream: HTTPBodyStream?
    private var waiting: [(request: HTTPRequest, manner: Manner)] = []
    /// What has arrived is answered, then the connection closes.
    private var isDraining = false
    /// Comes after the answers to all requests before the one that is refused.
    private var refusal: HTTPRefusal?
    private var isClosed = false
    private var peer = ""
    private var lastActivity = NIODeadline.now()
    /// Bytes of answers that the client had not taken when the clock last looked, and what was written since.
    private var untaken = 0
    /// When the first byte came of a request that is not complete yet.
    private var requestBegan: NIODeadline?
    private var clock: Scheduled<Void>?
    private let dates = HTTPDateCache()

    init(
        limits: HTTPLimits, gate: ConnectionGate, clocks: WebSocketClocks = WebSocketClocks(),
        respond: @escaping @Sendable (HTTPExchange) -> Void
    ) {
        self.limits = limits
        self.gate = gate
        self.clocks = clocks
        self.respond = respond
    }

    // MARK: - Life of the connection

    func handlerAdded(context: ChannelHandlerContext) {
        peer = context.remoteAddress?.ipAddress ?? ""
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        clock?.cancel()
        clock = nil
        inFlight?.abandon()
        inFlight = nil
        stream?.disconnect()
        stream = nil
        waiting.removeAll()
        context.fireChannelInactive()
    }

    /// The server is draining: the requests that have arrived are answered, then the connection closes.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isDraining = true
            stream?.finish()
            if inFlight == nil, stream == nil, case .idle = reading { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        refuse(context, error == .headerOverflow ? .headerTooLarge : .malformedRequest)
    }

    // MARK: - Reading

    /// Bytes are there, and may be no more than a part of a head: the time for a request runs from its first byte.
    func bytesArrived() {
        lastActivity = .now()
        if requestBegan == nil { requestBegan = lastActivity }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Behind the last answer there is no other one, so what comes now is not carried out.
        guard !isClosed else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head, context)
        case .body(let bytes): receive(bytes, context)
        case .end: receiveEnd(context)
        }
    }

    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if case .refused = reading { return }
        if head.uri.utf8.count > limits.targetBytes { return refuse(context, .targetTooLong) }
        if headerBytes(head.headers) > limits.headerBytes { return refuse(context, .headerTooLarge) }
        if let declared = head.headers.first(name: "content-length").flatMap({ Int($0) }) {
            if declared > limits.bodyBytes { return refuse(context, .bodyTooLarge(limits.bodyBytes)) }
        }
        var head = head
        if let refusal = RequestFraming.settle(&head) { return refuse(context, refusal) }
        reading = .body(head, nil)
        if head.headers.contains(name: "expect"), inFlight == nil {
            let isContinue = head.headers[canonicalForm: "expect"].contains {
                $0.lowercased() == "100-continue"
            }
            if isContinue {
                let buffer = context.channel.allocator.buffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
                context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            }
        }
    }

    private func receive(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .body(let head, var body) = reading else { return }
        // Drop the reference that `reading` holds, or the append below would copy all bytes so far.
        reading = .idle
        if (body?.readableBytes ?? 0) + bytes.readableBytes > limits.bodyBytes {
            return refuse(context, .bodyTooLarge(limits.bodyBytes))
        }
        if body == nil {
            body = bytes
        } else {
            var bytes = bytes
            body?.writeBuffer(&bytes)
        }
        reading = .body(head, body)
    }

    private func receiveEnd(_ context: ChannelHandlerContext) {
        guard case .body(let head, let body) = reading else { return }
        reading = .idle
        let request = HTTPRequest(
            method: head.method, target: head.uri, fields: HTTPFields(head.headers), body: body, peer: peer)
        // Behind a request for another protocol the decoder reads no further requests.
        let manner = Manner(
            keepsAlive: head.isKeepAlive && !head.headers.contains(name: "upgrade"),
            takesChunks: head.version != .http1_0)
        receive(request, manner, context)
    }

    private func receive(_ request: HTTPRequest, _ manner: Manner, _ context: ChannelHandlerContext) {
        requestBegan = nil
        if inFlight == nil, stream == nil, waiting.isEmpty {
            start(request, manner, context)
        } else {
            waiting.append((request, manner))
            if waiting.count >= limits.pipelinedRequests { setAutoRead(false, context) }
        }
    }

    /// Whether the decoder has given whole requests and no part of another.
    var isBetweenRequests: Bool { if case .idle = reading { !isClosed } else { false } }

    /// A request that arrived whole in one piece and was recognized without the decoder; `context` is that of the handler which
    /// recognized it, before this one.
    func receive(
        method: HTTPMethod, target: String, fields: HTTPFields, body: ByteBuffer?,
        _ context: ChannelHandlerContext
    ) {
        receive(
            HTTPRequest(method: method, target: target, fields: fields, body: body, peer: peer), Manner(),
            context)
    }

    // MARK: - Answering

    private func start(_ request: HTTPRequest, _ manner: Manner, _ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let exchange = HTTPExchange(request: request, eventLoop: context.eventLoop) { response in
            let (handler, context) = loopBound.value
            handler.finish(response, context)
        }
        inFlight = exchange
        inFlightKeepsAlive = manner.keepsAlive
        inFlightTakesChunks = manner.takesChunks
        inFlightIsHead = request.method == .HEAD
        respond(exchange)
    }

    private func finish(_ response: HTTPResponse, _ context: ChannelHandlerContext) {
        guard !isClosed, inFlight != nil else { return }
        inFlight = nil
        if case .webSocket(let upgrade) = response.body { return become(upgrade, response, context) }
        let keepsAlive = inFlightKeepsAlive && !(isDraining && waiting.isEmpty)
        if case .stream(let stream) = response.body, !inFlightIsHead {
            return begin(stream, response, context)
        }
        var buffer = HTTP1ResponseWriter.write(
            response, keepsAlive: keepsAlive, isHead: inFlightIsHead, date: dates.now(),
            allocator: context.channel.allocator)
        if case .deferred(let length, let write) = response.body, !inFlightIsHead {
            buffer.reserveCapacity(minimumWritableBytes: length)
            write(&buffer)
        }
        complete(buffer, keepsAlive: keepsAlive, context)
    }

    /// Writes the last bytes of an answer and goes on with the connection.
    private func complete(_ buffer: ByteBuffer, keepsAlive: Bool, _ context: ChannelHandlerContext) {
        lastActivity = .now()
        untaken += buffer.readableBytes
        if keepsAlive {
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            if let refusal, waiting.isEmpty {
                refuse(context, refusal)
            } else {
                startNext(context)
            }
        } else {
            isClosed = true
            awaitTaking(context)
            context.writeAndFlush(wrapOutboundOut(buffer)).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        }
    }

    /// Writes the head of an answer whose body comes bit by bit, in chunks (RFC 9112 §7.1) where the client knows them.
    private func begin(_ stream: HTTPBodyStream, _ response: HTTPResponse, _ context: ChannelHandlerContext) {
        let chunks = inFlightTakesChunks
        let keepsAlive = inFlightKeepsAlive && chunks && !isDraining
        let head = HTTP1ResponseWriter.write(
            response, keepsAlive: keepsAlive, isHead: false, date: dates.now(),
            allocator: context.channel.allocator, takesChunks: chunks)
        context.writeAndFlush(wrapOutboundOut(head), promise: nil)
        self.stream = stream
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stream.start(
            .init(
                eventLoop: context.eventLoop,
                write: { bytes in
                    let (handler, context) = loopBound.value
                    return handler.write(bytes, chunks: chunks, keepsAlive: keepsAlive, context)
                },
                abort: {
                    let bound = loopBound
                    bound.eventLoop.execute { bound.value.1.close(promise: nil) }
                }))
        if isDraining { stream.finish() }
    }

    /// - Parameter bytes: nil for the end of the body.
    private func write(
        _ bytes: ByteBuffer?, chunks: Bool, keepsAlive: Bool, _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        guard !isClosed else { return context.eventLoop.makeSucceededVoidFuture() }
        lastActivity = .now()
        var buffer = context.channel.allocator.buffer(capacity: (bytes?.readableBytes ?? 0) + 16)
        if var bytes {
            if chunks { buffer.writeString(String(bytes.readableBytes, radix: 16) + "\r\n") }
            buffer.writeBuffer(&bytes)
            if chunks { buffer.writeStaticString("\r\n") }
            return context.writeAndFlush(wrapOutboundOut(buffer))
        }
        stream = nil
        if chunks { buffer.writeStaticString("0\r\n\r\n") }
        complete(buffer, keepsAlive: keepsAlive && !isDraining, context)
        return context.eventLoop.makeSucceededVoidFuture()
    }

    /// The connection speaks WebSocket from here on; this handler and those before it leave. What the client sent
    /// behind its request is handed on by the decoder when it leaves.
    private func become(
        _ upgrade: WebSocketUpgrade, _ response: HTTPResponse, _ context: ChannelHandlerContext
    ) {
        isClosed = true
        clock?.cancel()
        clock = nil
        let head = HTTP1ResponseWriter.write(
            response, keepsAlive: false, isHead: false, date: dates.now(),
            allocator: context.channel.allocator)
        context.writeAndFlush(wrapOutboundOut(head), promise: nil)
        let pipeline = context.pipeline.syncOperations
        let socket = WebSocket(channel: context.channel, limits: upgrade.limits)
        let handler = WebSocketHandler(
            socket, clock: clocks.of(context.eventLoop), makeReceiver: upgrade.makeReceiver)
        let leaving = leavesWithIt
        leavesWithIt = []
        do {
            try pipeline.addHandler(handler, position: .after(self))
        } catch {
            return context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
        for handler in leaving { pipeline.removeHandler(handler, promise: nil) }
        if isDraining { socket.beginClose(.goingAway, "the server is stopping") }
    }

    private func startNext(_ context: ChannelHandlerContext) {
        guard !waiting.isEmpty else { return }
        let next = waiting.removeFirst()
        if waiting.count == limits.pipelinedRequests - 1 { setAutoRead(true, context) }
        start(next.request, next.manner, context)
    }

    /// Answers without handing the request on, and closes the connection, because its rest is not read.
    private func refuse(_ context: ChannelHandlerContext, _ refusal: HTTPRefusal) {
        reading = .refused
        requestBegan = nil
        guard inFlight == nil, stream == nil else {
            self.refusal = refusal
            return
        }
        guard !isClosed else { return }
        let buffer = HTTP1ResponseWriter.write(
            refusal.response, keepsAlive: false, isHead: false, date: dates.now(),
            allocator: context.channel.allocator)
        isClosed = true
        awaitTaking(context)
        gate.countRefusal()
        context.writeAndFlush(wrapOutboundOut(buffer)).assumeIsolated().whenComplete { _ in
            self.linger(context)
        }
    }

    /// Closes our direction and drops what still arrives, for a while: closing with bytes unread would reset the
    /// connection, and the client might lose the answer with it (RFC 9112 §9.6).
    private func linger(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        clock?.cancel()
        clock = context.eventLoop.scheduleTask(in: Self.lingering) {
            loopBound.value.close(promise: nil)
        }
    }

    // MARK: - Non public

    private static let lingering = TimeAmount.seconds(2)

    private func begin(_ context: ChannelHandlerContext) {
        if peer.isEmpty { peer = context.remoteAddress?.ipAddress ?? "" }
        lastActivity = .now()
        scheduleClock(context)
    }

    /// One timer a connection, re-armed when it fires; activity only moves a date. It fires at least once in the time
    /// that a request may take, so that one which begins meanwhile is seen early enough.
    private func scheduleClock(_ context: ChannelHandlerContext) {
        guard clock == nil, !isClosed else { return }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let next = min(deadline, .now() + limits.readTimeout)
        clock = context.eventLoop.scheduleTask(deadline: next) {
            let (handler, context) = loopBound.value
            handler.clock = nil
            handler.checkClock(context)
        }
    }

    private func checkClock(_ context: ChannelHandlerContext) {
        guard !isClosed else { return }
        if inFlight != nil || stream != nil {
            // The client waits for us, and we may have stopped reading.
            lastActivity = .now()
            if requestBegan != nil { requestBegan = lastActivity }
        }
        if isTaking(context) { lastActivity = .now() }
        if NIODeadline.now() >= deadline {
            if requestBegan != nil { return refuse(context, .tooSlow) }
            return context.close(promise: nil)
        }
        scheduleClock(context)
    }

    /// The last answer of the connection has been written: closes when the client takes nothing of it for too long.
    private func awaitTaking(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        clock?.cancel()
        clock = context.eventLoop.scheduleTask(in: limits.idleTimeout) {
            let (handler, context) = loopBound.value
            handler.clock = nil
            if handler.isTaking(context) { return handler.awaitTaking(context) }
            context.close(promise: nil)
        }
    }

    /// Whether the client has taken something since the clock last looked, and there is more: it is slow, and not gone.
    private func isTaking(_ context: ChannelHandlerContext) -> Bool {
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        defer { untaken = waiting }
        return waiting > 0 && waiting < untaken
    }

    private var deadline: NIODeadline {
        requestBegan.map { $0 + limits.readTimeout } ?? lastActivity + limits.idleTimeout
    }

    private func headerBytes(_ headers: HTTPHeaders) -> Int {
        var total = 0
        for (name, value) in headers { total += name.utf8.count + value.utf8.count + 4 }
        return total
    }

    private func setAutoRead(_ reads: Bool, _ context: ChannelHandlerContext) {
        context.channel.setOption(.autoRead, value: reads).whenFailure { _ in }
    }
}
