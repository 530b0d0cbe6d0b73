package import NIOCore

/// What stands behind a WebSocket. Everything is called on the connection's event loop and must not block; bytes
/// that have to outlive a call are copied by who keeps them.
package protocol WebSocketReceiver: AnyObject {
    /// A text message, whole and valid UTF-8.
    func receive(text: ByteBuffer)
    /// A binary message, whole.
    func receive(binary: ByteBuffer)
    /// About twice a second, for deadlines; so that connections need no timers of their own.
    func tick(_ now: NIODeadline)
    /// The connection is gone. The last call.
    func closed()
}

extension WebSocketReceiver {
    package func tick(_ now: NIODeadline) {}
}
