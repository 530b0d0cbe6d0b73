import NIOCore

/// Hands the server's replies to whoever waits for one.
///
/// Lives on the connection's event loop. A reply that nobody asked for ends the connection, except the last words of a
/// server that closes it (RFC 5321 §3.8).
final class SMTPReplyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var parser = SMTPReplyParser()
    private var waiting: EventLoopPromise<SMTPReply>?
    private var early: SMTPReply?
    private var failure: DeliveryFailure?

    /// Whether there is nothing that the server said and nobody has read.
    var isDrained: Bool { early == nil && parser.isBetweenReplies }

    /// The next reply; one at a time.
    func next(on loop: any EventLoop) -> EventLoopFuture<SMTPReply> {
        if let early {
            self.early = nil
            return loop.makeSucceededFuture(early)
        }
        if let failure { return loop.makeFailedFuture(failure) }
        let promise = loop.makePromise(of: SMTPReply.self)
        waiting = promise
        return promise.futureResult
    }

    /// Everything that waits, and will wait, fails with this.
    func fail(_ failure: DeliveryFailure) {
        if self.failure == nil { self.failure = failure }
        let promise = waiting
        waiting = nil
        promise?.fail(self.failure ?? failure)
    }

    // MARK: - ChannelInboundHandler

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            do throws(SMTPReplyParser.Malformed) {
                guard let reply = try parser.take(byte) else { continue }
                if let promise = waiting {
                    waiting = nil
                    promise.succeed(reply)
                } else if early == nil {
                    early = reply
                } else {
                    throw SMTPReplyParser.Malformed()
                }
            } catch {
                fail(.unreachable("the mail server does not speak SMTP"))
                context.close(promise: nil)
                return
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.unreachable("the mail server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.unreachable("the connection to the mail server failed: \(error)"))
        context.close(promise: nil)
    }
}
