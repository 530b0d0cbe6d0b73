package import ApusHTTP

/// What of the configuration shapes channels.
package struct RealtimeSettings: Sendable {
    /// `realtime-prefix`, without a slash at its end.
    package var prefix: String
    /// Whether public channels are refused (`realtime-private-only`).
    package var privateOnly: Bool
    /// Channels that one connection may have joined (`realtime-max-channels`).
    package var channelsPerConnection: Int
    /// WebSockets that this node has at once (`realtime-max-connections`); 0: no limit of their own.
    package var connections: Int
    /// WebSockets that one address may open in a second (`realtime-max-handshakes`); 0: no limit.
    package var handshakesPerSecond: Int
    /// Proxies of one's own in front of the server (`server-trusted-hops`).
    package var trustedHops: Int
    /// Broadcasts and presence messages that one connection may send in a second (`realtime-max-events`); 0: no limit.
    package var eventsPerSecond: Int
    /// Joins of one connection in a second (`realtime-max-joins`); 0: no limit.
    package var joinsPerSecond: Int
    /// Calls of track and untrack in 30 seconds, for each connection (`realtime-max-presence`); 0: no limit.
    package var presenceCalls: Int
    /// Bytes of one broadcast's payload (`realtime-max-payload`).
    package var payloadBytes: Int
    /// Bytes of one row; of a larger one only small values are sent.
    package var rowBytes: Int
    package var webSocket: WebSocketLimits

    package init(
        prefix: String = "/realtime/v1", privateOnly: Bool = false, channelsPerConnection: Int = 100,
        connections: Int = 0, handshakesPerSecond: Int = 0, trustedHops: Int = 0, eventsPerSecond: Int = 100,
        joinsPerSecond: Int = 100, presenceCalls: Int = 60,
        payloadBytes: Int = 3_000_000, rowBytes: Int = 1 << 20, webSocket: WebSocketLimits = .init()
    ) {
        self.prefix = prefix
        self.privateOnly = privateOnly
        self.channelsPerConnection = channelsPerConnection
        self.connections = connections
        self.handshakesPerSecond = handshakesPerSecond
        self.trustedHops = trustedHops
        self.eventsPerSecond = eventsPerSecond
        self.joinsPerSecond = joinsPerSecond
        self.presenceCalls = presenceCalls
        self.payloadBytes = payloadBytes
        self.rowBytes = rowBytes
        self.webSocket = webSocket
    }
}
