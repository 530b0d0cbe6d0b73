import NIOCore
import Synchronization

/// The clocks of a server's event loops, made as they are asked for.
final class WebSocketClocks: Sendable {
    private let clocks = Mutex<[ObjectIdentifier: WebSocketClock]>([:])

    func of(_ eventLoop: any EventLoop) -> WebSocketClock {
        clocks.withLock { clocks in
            if let known = clocks[ObjectIdentifier(eventLoop)] { return known }
            let clock = WebSocketClock(eventLoop: eventLoop)
            clocks[ObjectIdentifier(eventLoop)] = clock
            return clock
        }
    }
}
