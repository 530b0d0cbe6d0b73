package import NIOCore
import Synchronization

/// One request and the place where its answer goes.
///
/// An answer may be given from any thread, once; a second one is ignored. When the client goes away before the
/// answer, what was registered with ``onAbandon(_:)`` runs, so that its work can be stopped.
package final class HTTPExchange: Sendable {
    private struct State {
        var isDone = false
        var abandon: (@Sendable () -> Void)?
    }

    /// The request, complete.
    package let request: HTTPRequest
    /// The connection's: where the answer is made and written.
    package let eventLoop: any EventLoop
    private let state = Mutex(State())
    private let send: @Sendable (HTTPResponse) -> Void

    /// - Parameter send: writes the answer; called on `eventLoop`.
    package init(
        request: HTTPRequest, eventLoop: any EventLoop, send: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        self.request = request
        self.eventLoop = eventLoop
        self.send = send
    }

    /// Answers.
    package func respond(_ response: HTTPResponse) {
        respond { response }
    }

    /// Answers with what `make` makes; it runs on the connection's event loop.
    package func respond(making make: @escaping @Sendable () -> HTTPResponse) {
        let isFirst = state.withLock { state in
            if state.isDone { return false }
            state.isDone = true
            state.abandon = nil
            return true
        }
        guard isFirst else { return }
        if eventLoop.inEventLoop {
            send(make())
        } else {
            eventLoop.execute { self.send(make()) }
        }
    }

    /// Registers what stops the work for this request; runs at once when the client is already gone.
    package func onAbandon(_ action: @escaping @Sendable () -> Void) {
        let isDone = state.withLock { state in
            if !state.isDone { state.abandon = action }
            return state.isDone
        }
        if isDone { action() }
    }

    /// Says that nobody waits for the answer any more.
    package func abandon() {
        let action = state.withLock { state in
            defer { state.abandon = nil }
            state.isDone = true
            return state.abandon
        }
        action?()
    }
}
