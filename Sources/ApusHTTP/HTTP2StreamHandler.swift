import ApusFaults
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Serves one HTTP/2 stream (RFC 9113), after NIO's codec that shows it as HTTP/1 parts.
final class HTTP2StreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: HTTPLimits
    private let respond: @Sendable (HTTPExchange) -> Void
    private var head: HTTPRequestHead?
    private var body: ByteBuffer?
    private var exchange: HTTPExchange?
    private var isAnswered = false
    /// The body under way, when it comes bit by bit.
    private var stream: HTTPBodyStream?
    private var hasArrived = false
    /// Ends a request that does not arrive in time, and then an answer that the client does not take.
    private var deadline: Scheduled<Void>?
    /// When the client last took a piece of the answer.
    private var lastTaken = NIODeadline.now()
    private var isTaken = false

    init(limits: HTTPLimits, respond: @escaping @Sendable (HTTPExchange) -> Void) {
        self.limits = limits
        self.respond = respond
    }

    func channelInactive(context: ChannelHandlerContext) {
        isAnswered = true
        deadline?.cancel()
        deadline = nil
        exchange?.abandon()
        stream?.disconnect()
        stream = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            awaitRest(context)
            if head.uri.utf8.count > limits.targetBytes {
                return finish(HTTPRefusal.targetTooLong.response, context)
            }
            let headerBytes = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
            if headerBytes > limits.headerBytes {
                return finish(HTTPRefusal.headerTooLarge.response, context)
            }
            // RFC 9113 §8.3.1: `:authority`, which NIO shows as `host`, and no other one.
            let hosts = head.headers["host"]
            if hosts.count != 1 || !RequestFraming.isHost(hosts[0].utf8) || head.method == .CONNECT {
                return finish(HTTPRefusal.malformedRequest.response, context)
            }
        case .body(var bytes):
            guard !isAnswered else { return }
            if (body?.readableBytes ?? 0) + bytes.readableBytes > limits.bodyBytes {
                return finish(HTTPRefusal.bodyTooLarge(limits.bodyBytes).response, context)
            }
            if body == nil { body = bytes } else { body?.writeBuffer(&bytes) }
        case .end:
            hasArrived = true
            if !isAnswered { deadline?.cancel() }
            start(context)
        }
    }

    /// What is no request by HTTP/2's own rules; where it is one of a stream, NIO has reset the stream.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(HTTPRefusal.malformedRequest.response, context)
    }

    /// The time for a request runs from its head to its last byte, as over HTTP/1.1. The rest of one that was answered
    /// early gets the same time.
    private func awaitRest(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: limits.readTimeout) {
            let (handler, context) = loopBound.value
            handler.deadline = nil
            if handler.isAnswered { return context.close(promise: nil) }
            handler.finish(HTTPRefusal.tooSlow.response, context)
            handler.awaitRest(context)
        }
    }

    /// A client whose window stays closed holds the answer in our memory: from piece to piece it has the time for which a
    /// connection may be idle.
    private func awaitTaking(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline?.cancel()
        deadline = context.eventLoop.scheduleTask(deadline: lastTaken + limits.idleTimeout) {
            let (handler, context) = loopBound.value
            if NIODeadline.now() < handler.lastTaken + handler.limits.idleTimeout {
                return handler.awaitTaking(context)
            }
            context.close(promise: nil)
        }
    }

    private func start(_ context: ChannelHandlerContext) {
        guard !isAnswered, let head else { return }
        let request = HTTPRequest(
            method: head.method, target: head.uri, headers: head.headers, body: body,
            peer: context.channel.parent?.remoteAddress?.ipAddress ?? "")
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let exchange = HTTPExchange(request: request, eventLoop: context.eventLoop) { response in
            let (handler, context) = loopBound.value
            handler.finish(response, context)
        }
        self.exchange = exchange
        respond(exchange)
    }

    private func finish(_ response: HTTPResponse, _ context: ChannelHandlerContext) {
        guard !isAnswered, context.channel.isActive else { return }
        isAnswered = true
        if case .webSocket = response.body {
            // Without the extended CONNECT of RFC 8441 a stream cannot become one.
            isAnswered = false
            return finish(HTTPRefusal.upgradeOverHTTP2.response, context)
        }
        var headers = HTTPHeaders()
        headers.add(name: "Date", value: HTTPDateCache.format(time(nil)))
        for field in response.fields { headers.add(name: field.name, value: field.value) }
        let isHead = head?.method == .HEAD
        if let length = response.bodyLength, !isHead, response.status != 204, response.status != 304 {
            headers.add(name: "Content-Length", value: String(length))
        }
        let status = HTTPResponseStatus(statusCode: response.status)
        context.write(
            wrapOutboundOut(.head(.init(version: .http2, status: status, headers: headers))), promise: nil)
        if case .stream(let stream) = response.body, !isHead {
            context.flush()
            return start(stream, context)
        }
        if !isHead, let body = Self.buffer(response.body, context.channel.allocator) { write(body, context) }
        writeEnd(context)
    }

    /// Writes a body in pieces, so that it shows when the client takes them.
    private func write(_ body: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = body
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        while rest.readableBytes > Self.pieceBytes, let piece = rest.readSlice(length: Self.pieceBytes) {
            context.write(wrapOutboundOut(.body(.byteBuffer(piece)))).whenComplete { _ in
                bound.value.lastTaken = .now()
            }
        }
        context.write(wrapOutboundOut(.body(.byteBuffer(rest))), promise: nil)
    }

    private func writeEnd(_ context: ChannelHandlerContext) {
        lastTaken = .now()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            bound.value.isTaken = true
            if bound.value.hasArrived { bound.value.deadline?.cancel() }
        }
        if !isTaken, hasArrived { awaitTaking(context) }
    }

    private static let pieceBytes = 65_536

    private func start(_ stream: HTTPBodyStream, _ context: ChannelHandlerContext) {
        self.stream = stream
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stream.start(
            .init(
                eventLoop: context.eventLoop,
                write: { bytes in
                    let (handler, context) = loopBound.value
                    let part: OutboundOut = bytes.map { .body(.byteBuffer($0)) } ?? .end(nil)
                    if bytes == nil { handler.stream = nil }
                    return context.writeAndFlush(handler.wrapOutboundOut(part))
                },
                abort: {
                    let context = loopBound
                    context.eventLoop.execute { context.value.1.close(promise: nil) }
                }))
    }

    private static func buffer(_ body: HTTPResponse.Body, _ allocator: ByteBufferAllocator) -> ByteBuffer? {
        switch body {
        case .none, .stream, .webSocket: return nil
        case .bytes(let bytes): return allocator.buffer(bytes: bytes)
        case .buffer(let buffer): return buffer
        case .deferred(let length, let write):
            var buffer = allocator.buffer(capacity: length)
            write(&buffer)
            return buffer
        }
    }
}
