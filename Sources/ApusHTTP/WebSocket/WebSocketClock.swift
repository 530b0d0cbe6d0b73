import NIOCore

/// The one timer of all WebSockets of an event loop. Ten thousand timers of their own would cost more than looking
/// at ten thousand dates twice a second.
///
/// Sendable: everything is touched on the event loop only.
final class WebSocketClock: @unchecked Sendable {
    private static let interval = TimeAmount.milliseconds(500)

    private let eventLoop: any EventLoop
    private var handlers: [ObjectIdentifier: WebSocketHandler] = [:]
    private var task: RepeatedTask?

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func add(_ handler: WebSocketHandler) {
        handlers[ObjectIdentifier(handler)] = handler
        guard task == nil else { return }
        task = eventLoop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
            self.tick()
        }
    }

    func remove(_ handler: WebSocketHandler) {
        handlers[ObjectIdentifier(handler)] = nil
        guard handlers.isEmpty else { return }
        task?.cancel()
        task = nil
    }

    private func tick() {
        let now = eventLoop.now
        // A tick may end connections, which leave the dictionary; this one is a copy by value.
        for handler in handlers.values { handler.tick(now) }
    }
}
