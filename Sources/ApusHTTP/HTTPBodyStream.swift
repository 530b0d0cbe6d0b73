package import NIOCore
import Synchronization

/// A body that is written bit by bit, from any thread, for as long as the client listens (server-sent events).
///
/// What is written goes out in order, as soon as the connection's event loop comes to it; writes that come together
/// leave together. A client that does not read makes bytes wait: over ``limit`` the stream ends, so that nobody has
/// to wait for it and memory stays bounded.
package final class HTTPBodyStream: Sendable {
    /// Why a stream ended.
    package enum End: Sendable {
        /// ``finish()`` was called.
        case finished
        /// The client went away, or the server is closing its connections.
        case disconnected
        /// More than ``limit`` bytes waited for the client.
        case tooSlow
    }

    private struct State {
        var sink: Sink?
        /// Written, and not yet taken by the event loop.
        var pending: [ByteBuffer] = []
        /// Bytes written that the socket has not taken.
        var waiting = 0
        var isFlushing = false
        /// ``finish()`` was called; what is pending still goes out.
        var isFinishing = false
        var end: End?
        var onEnd: (@Sendable (End) -> Void)?
    }

    /// The connection's side: called on its event loop with bytes, and with nil once at the end.
    struct Sink: Sendable {
        var eventLoop: any EventLoop
        var write: @Sendable (ByteBuffer?) -> EventLoopFuture<Void>
        /// Closes the connection without waiting for the client.
        var abort: @Sendable () -> Void
    }

    /// Bytes that may wait for the client.
    package let limit: Int
    private let state = Mutex(State())

    package init(limit: Int = 1 << 20) { self.limit = limit }

    /// Writes bytes behind those written before.
    ///
    /// - Returns: false when the stream has ended; then nothing was written.
    @discardableResult
    package func write(_ bytes: ByteBuffer) -> Bool {
        let (accepted, loop) = state.withLock { state -> (Bool?, (any EventLoop)?) in
            guard state.end == nil, !state.isFinishing else { return (false, nil) }
            // What comes alone goes out, whatever its size.
            let sum = state.waiting + bytes.readableBytes
            guard state.waiting == 0 || sum <= limit else { return (nil, nil) }
            state.waiting += bytes.readableBytes
            state.pending.append(bytes)
            return (true, Self.loopToWake(&state))
        }
        guard let accepted else {
            end(.tooSlow)
            return false
        }
        loop?.execute { self.flush() }
        return accepted
    }

    /// Ends the body after what was written.
    package func finish() {
        let loop = state.withLock { state -> (any EventLoop)? in
            guard state.end == nil, !state.isFinishing else { return nil }
            state.isFinishing = true
            return Self.loopToWake(&state)
        }
        loop?.execute { self.flush() }
    }

    /// Registers what happens at the end; runs at once when the stream has ended already.
    package func onEnd(_ action: @escaping @Sendable (End) -> Void) {
        let ended = state.withLock { state -> End? in
            if state.end == nil { state.onEnd = action }
            return state.end
        }
        if let ended { action(ended) }
    }

    /// Bytes that wait for the client.
    package var waitingBytes: Int { state.withLock { $0.waiting } }

    // MARK: - The connection's side

    /// Gives the stream its connection; called on the event loop, after the head of the answer was written.
    func start(_ sink: Sink) {
        let hasEnded = state.withLock { state in
            state.sink = sink
            state.isFlushing = true
            return state.end != nil
        }
        if hasEnded { return sink.abort() }
        flush()
    }

    /// The connection is gone.
    func disconnect() { end(.disconnected) }

    // MARK: - Non public

    private static func loopToWake(_ state: inout State) -> (any EventLoop)? {
        guard !state.isFlushing, let sink = state.sink else { return nil }
        state.isFlushing = true
        return sink.eventLoop
    }

    private func flush() {
        let (sink, buffers, isLast) = state.withLock { state -> (Sink?, [ByteBuffer], Bool) in
            state.isFlushing = false
            guard state.end == nil else { return (nil, [], false) }
            defer { state.pending = [] }
            return (state.sink, state.pending, state.isFinishing)
        }
        guard let sink else { return }
        if let bytes = Self.joined(buffers) {
            let count = bytes.readableBytes
            sink.write(bytes).whenComplete { _ in self.state.withLock { $0.waiting -= count } }
        }
        if isLast {
            _ = sink.write(nil)
            end(.finished)
        }
    }

    private static func joined(_ buffers: [ByteBuffer]) -> ByteBuffer? {
        guard var first = buffers.first else { return nil }
        for var next in buffers.dropFirst() { first.writeBuffer(&next) }
        return first.readableBytes > 0 ? first : nil
    }

    private func end(_ end: End) {
        let (action, sink) = state.withLock { state -> ((@Sendable (End) -> Void)?, Sink?) in
            guard state.end == nil else { return (nil, nil) }
            state.end = end
            state.pending = []
            defer { (state.onEnd, state.sink) = (nil, nil) }
            return (state.onEnd, state.sink)
        }
        if case .tooSlow = end { sink?.abort() }
        action?(end)
    }
}
