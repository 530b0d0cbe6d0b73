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
    /// Ends a request that does not arrive in time.
    private var deadline: Scheduled<Void>?

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
            if head.uri.utf8.count > limits.targetBytes {
                return finish(HTTPRefusal.targetTooLong.response, context)
            }
            let headerBytes = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
            if headerBytes > limits.headerBytes {
                return finish(HTTPRefusal.headerTooLarge.response, context)
            }
            awaitRest(context)
        case .body(var bytes):
            guard !isAnswered else { return }
            if (body?.readableBytes ?? 0) + bytes.readableBytes > limits.bodyBytes {
                return finish(HTTPRefusal.bodyTooLarge(limits.bodyBytes).response, context)
            }
            if body == nil { body = bytes } else { body?.writeBuffer(&bytes) }
        case .end:
            deadline?.cancel()
            deadline = nil
            start(context)
        }
    }

    /// The time for a request runs from its head to its last byte, as over HTTP/1.1.
    private func awaitRest(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: limits.readTimeout) {
            let (handler, context) = loopBound.value
            handler.deadline = nil
            handler.finish(HTTPRefusal.tooSlow.response, context)
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
        if !isHead, let body = Self.buffer(response.body, context.channel.allocator) {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

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
