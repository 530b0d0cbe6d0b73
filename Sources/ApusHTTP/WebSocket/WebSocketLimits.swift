package import NIOCore

/// What one WebSocket may make this server hold or wait for.
package struct WebSocketLimits: Sendable {
    /// Bytes of one frame from the client; over it the connection ends with 1009.
    package var frameBytes: Int
    /// Bytes of one message in however many frames; over it the connection ends with 1009.
    package var messageBytes: Int
    /// Bytes that wait to be sent to a client that reads slowly; over it the connection ends with ``overflowCode``.
    package var queueBytes: Int
    /// Code and reason for that.
    package var overflowCode: WebSocketCloseCode
    package var overflowReason: String
    /// After this time without a byte from the client it is pinged.
    package var pingInterval: TimeAmount
    /// After this further time without a byte the connection is closed.
    package var pongTimeout: TimeAmount
    /// How long a close waits for the client's own.
    package var closeTimeout: TimeAmount

    package init(
        frameBytes: Int = 5_000_000, messageBytes: Int = 5_000_000, queueBytes: Int = 1 << 20,
        overflowCode: WebSocketCloseCode = .tooSlow,
        overflowReason: String = "too slow: connect again and resume",
        pingInterval: TimeAmount = .seconds(30), pongTimeout: TimeAmount = .seconds(30),
        closeTimeout: TimeAmount = .seconds(5)
    ) {
        self.frameBytes = frameBytes
        self.messageBytes = messageBytes
        self.queueBytes = queueBytes
        self.overflowCode = overflowCode
        self.overflowReason = overflowReason
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
        self.closeTimeout = closeTimeout
    }
}
