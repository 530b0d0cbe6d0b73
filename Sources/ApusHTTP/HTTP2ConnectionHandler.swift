import NIOCore
import NIOExtras
import NIOHTTP2
import NIOSSL

/// Ends an HTTP/2 connection on which no request is open: after too long a time, so that one goes that never sends its
/// preface, never ends its header block, or only sends frames of the connection itself; and when the server drains.
///
/// What a connection may send besides requests (resets, settings, pings, continuations) is bounded by NIO.
final class HTTP2ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let limits: HTTPLimits
    private let farewell: HTTP2FarewellHandler
    private var context: ChannelHandlerContext?
    private var openStreams = 0
    /// Until the first request the time is that of a request, then that between requests.
    private var hasServed = false
    private var isDraining = false
    private var lastActivity = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(limits: HTTPLimits, farewell: HTTP2FarewellHandler) {
        self.limits = limits
        self.farewell = farewell
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isDraining = true
            closeIfDrained()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// An error of a stream ends the stream, by NIO's hand. Any other ends the connection: a farewell has been said, or
    /// the connection is broken below HTTP/2.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if farewell.hasSaidGoodbye || error is NIOSSLError || error is IOError {
            context.close(promise: nil)
        }
    }

    /// A request begins on a stream of the connection.
    func opened(_ stream: any Channel) {
        openStreams += 1
        hasServed = true
        let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
        stream.closeFuture.whenComplete { _ in bound.value.closed() }
    }

    // MARK: - Non public

    private func closed() {
        openStreams -= 1
        lastActivity = .now()
        closeIfDrained()
    }

    private func closeIfDrained() {
        if isDraining, openStreams == 0 { context?.close(promise: nil) }
    }

    private var deadline: NIODeadline {
        lastActivity + (hasServed ? limits.idleTimeout : limits.readTimeout)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) {
            let (handler, context) = bound.value
            handler.check(context)
        }
    }

    private func check(_ context: ChannelHandlerContext) {
        if openStreams > 0 { lastActivity = .now() }
        if NIODeadline.now() < deadline { return schedule(context) }
        context.close(promise: nil)
    }
}
