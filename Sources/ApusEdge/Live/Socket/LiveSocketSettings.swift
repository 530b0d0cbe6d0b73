package import ApusHTTP

/// What of the configuration shapes `/live/v1`.
package struct LiveSocketSettings: Sendable {
    /// `live-prefix`, without a slash at its end.
    package var prefix: String
    /// `live-max-follows`: reads that one connection may follow.
    package var followsPerConnection: Int
    /// `live-max-messages`: messages that one connection may send in a second; 0: no limit.
    package var messagesPerSecond: Int
    /// With `live-max-message` and `live-queue`.
    package var webSocket: WebSocketLimits

    package init(
        prefix: String = "/live/v1", followsPerConnection: Int = 100, messagesPerSecond: Int = 200,
        webSocket: WebSocketLimits = .init()
    ) {
        self.prefix = prefix
        self.followsPerConnection = followsPerConnection
        self.messagesPerSecond = messagesPerSecond
        self.webSocket = webSocket
    }
}
