package import NIOCore

/// The sending side of one WebSocket (RFC 6455).
///
/// ``send(_:)`` and ``close(_:_:)`` may be called from anywhere; what one caller sends in order arrives in order.
/// Who sends much, and lives on the connection's event loop anyway, uses ``enqueue(_:)`` and ``flush()``, so that
/// many small messages leave in one system call.
///
/// Sendable: the constants are set at the start; the variables are touched on the event loop only, which is
/// checked in debug builds.
package final class WebSocket: @unchecked Sendable {
    /// The connection's.
    package let eventLoop: any EventLoop
    package let limits: WebSocketLimits
    private let channel: any Channel
    private var context: ChannelHandlerContext?
    /// A close frame was sent, or the connection is gone: nothing may follow.
    private var isClosing = false
    /// So much waits for the system that NIO says so; below that there is nothing to count.
    private var isBacklogged = false
    private var closeDeadline: Scheduled<Void>?
    /// nil under TLS, and when the connection is gone.
    private var direct: DirectSocket?
    /// Writes that NIO has taken and not finished, where there is a direct way; that is open while there are none.
    private var underWay = 0
    /// What was put into the queue and goes the direct way.
    private var queue = ByteBuffer()

    /// A queue that is so long is sent before anybody asks.
    private static let longestQueue = 1 << 16

    init(channel: any Channel, limits: WebSocketLimits) {
        self.channel = channel
        self.limits = limits
        eventLoop = channel.eventLoop
    }

    // MARK: - From anywhere

    /// Sends a message. Nothing happens when the connection is closing or gone.
    package func send(_ message: WebSocketMessage) {
        if eventLoop.inEventLoop {
            if enqueue(message) { flush() }
        } else {
            eventLoop.execute { if self.enqueue(message) { self.flush() } }
        }
    }

    /// Closes with a code; waits for the client's answer as long as `closeTimeout`.
    package func close(_ code: WebSocketCloseCode, _ reason: String = "") {
        if eventLoop.inEventLoop {
            beginClose(code, reason)
        } else {
            eventLoop.execute { self.beginClose(code, reason) }
        }
    }

    // MARK: - On the event loop

    /// Whether messages can still be sent. On the event loop.
    package var isOpen: Bool {
        eventLoop.assertInEventLoop()
        return context != nil && !isClosing
    }

    /// Bytes that were sent and that the system has not taken yet. On the event loop.
    package var bufferedBytes: Int {
        eventLoop.assertInEventLoop()
        return queue.readableBytes + ((try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
    }

    /// Puts a message into the connection's queue; ``flush()`` sends it. False when the connection takes none any
    /// more, or ends now because its queue is full. On the event loop.
    @discardableResult
    package func enqueue(_ message: WebSocketMessage) -> Bool {
        eventLoop.assertInEventLoop()
        guard let context, !isClosing else { return false }
        if isBacklogged, bufferedBytes + message.byteCount > limits.queueBytes {
            beginClose(limits.overflowCode, limits.overflowReason)
            return false
        }
        guard goesDirectly else {
            write(message.frame, to: context)
            return true
        }
        queue.writeImmutableBuffer(message.frame)
        if queue.readableBytes > Self.longestQueue { sendQueue(context) }
        return true
    }

    /// Sends a message at once, behind what is in the queue. On the event loop.
    package func sendNow(_ message: WebSocketMessage) {
        guard goesDirectly, queue.readableBytes == 0, let context, !isClosing else {
            if enqueue(message) { flush() }
            return
        }
        var frame = message.frame
        direct?.send(&frame)
        if frame.readableBytes > 0 { leave(frame, to: context) }
    }

    /// Sends what is in the queue. On the event loop.
    package func flush() {
        eventLoop.assertInEventLoop()
        guard let context else { return }
        if goesDirectly { sendQueue(context) } else { context.flush() }
    }

    // MARK: - Writing

    private var goesDirectly: Bool { direct != nil && underWay == 0 }

    private func sendQueue(_ context: ChannelHandlerContext) {
        guard queue.readableBytes > 0 else { return }
        // Idle connections are many: none keeps memory for its queue.
        var bytes = ByteBuffer()
        swap(&bytes, &queue)
        direct?.send(&bytes)
        if bytes.readableBytes > 0 { leave(bytes, to: context) }
    }

    /// What the system did not take goes NIO's way, and all that comes before that is through.
    private func leave(_ bytes: ByteBuffer, to context: ChannelHandlerContext) {
        write(bytes, to: context)
        context.flush()
    }

    private func write(_ bytes: ByteBuffer, to context: ChannelHandlerContext) {
        guard direct != nil else { return context.write(NIOAny(bytes), promise: nil) }
        underWay += 1
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.underWay -= 1 }
        context.write(NIOAny(bytes), promise: written)
    }

    // MARK: - For the handler

    func attach(_ context: ChannelHandlerContext) {
        self.context = context
        direct = DirectSocket(context.pipeline)
        // The answer that made a WebSocket of it may still be on its way.
        if direct != nil, bufferedBytes > 0 { leave(ByteBuffer(), to: context) }
    }

    func writabilityChanged(_ isWritable: Bool) { isBacklogged = !isWritable }

    func detach() {
        context = nil
        direct = nil
        queue = ByteBuffer()
        isClosing = true
        closeDeadline?.cancel()
        closeDeadline = nil
    }

    var hasClosed: Bool { isClosing }

    /// Ends the connection without a word: the client does not answer any more.
    func abort() { channel.close(promise: nil) }

    /// Sends a close frame; the connection ends when the client's has come, or after a while.
    func beginClose(_ code: WebSocketCloseCode?, _ reason: String) {
        guard let context, !isClosing else { return }
        if goesDirectly { sendQueue(context) }
        isClosing = true
        context.writeAndFlush(NIOAny(WebSocketMessage.close(code, reason).frame), promise: nil)
        let channel = channel
        closeDeadline = eventLoop.scheduleTask(in: limits.closeTimeout) { channel.close(promise: nil) }
    }

    /// The client's close frame is there: answers it unless we closed first, and ends the connection (§7.1.1: the
    /// server closes the TCP connection first).
    func finishClose(_ code: WebSocketCloseCode?) {
        guard let context else { return }
        if isClosing { return context.close(promise: nil) }
        if goesDirectly { sendQueue(context) }
        isClosing = true
        let channel = channel
        context.writeAndFlush(NIOAny(WebSocketMessage.close(code, "").frame))
            .assumeIsolated().whenComplete { _ in channel.close(promise: nil) }
        closeDeadline = eventLoop.scheduleTask(in: limits.closeTimeout) { channel.close(promise: nil) }
    }
}
