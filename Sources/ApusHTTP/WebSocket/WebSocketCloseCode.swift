/// Why a WebSocket ends (RFC 6455 §7.4). Codes from 4000 on belong to the application.
package struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let normal = WebSocketCloseCode(rawValue: 1000)
    /// The server stops or restarts; connect again.
    package static let goingAway = WebSocketCloseCode(rawValue: 1001)
    package static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// A kind of message that is not taken here.
    package static let unacceptable = WebSocketCloseCode(rawValue: 1003)
    /// Text that is not UTF-8.
    package static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    package static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    package static let messageTooLarge = WebSocketCloseCode(rawValue: 1009)
    package static let internalError = WebSocketCloseCode(rawValue: 1011)
    package static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)
    /// Apus's own: the client reads too slowly and its queue is full. What it missed it gets by resuming.
    package static let tooSlow = WebSocketCloseCode(rawValue: 4008)

    /// Whether a client may send it: 1004 to 1006 and 1015 never travel, and numbers below 1000 or from 5000 on mean
    /// nothing (RFC 6455 §7.4.1, §7.4.2).
    var mayTravel: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
