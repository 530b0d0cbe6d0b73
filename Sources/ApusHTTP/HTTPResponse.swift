package import ApusFaults
package import NIOCore

/// What goes back to a client.
package struct HTTPResponse: Sendable {
    /// Where the bytes of an answer are.
    package enum Body: Sendable {
        /// No body, and no `Content-Length` either (204, 304, HEAD).
        case none
        case bytes([UInt8])
        case buffer(ByteBuffer)
        /// Bytes that lie elsewhere (a value of a query's result) and are copied once, into the connection's
        /// buffer: their number, and what writes them.
        case deferred(length: Int, write: @Sendable (inout ByteBuffer) -> Void)
        /// Bytes that come bit by bit; their number is not known.
        case stream(HTTPBodyStream)
        /// No body: the connection becomes a WebSocket. Made by ``WebSocketUpgrade/response(to:limits:subprotocol:makeReceiver:)``.
        case webSocket(WebSocketUpgrade)
    }

    /// RFC 9110 §15
    package var status: Int
    /// In the order in which they are written; `Date` and `Content-Length` are added.
    package var fields: [HeaderField]
    package var body: Body

    package init(status: Int, fields: [HeaderField] = [], body: Body = .none) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// A short text answer.
    package static func text(
        _ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8"
    ) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: [HeaderField("Content-Type", type)], body: .bytes(Array(text.utf8)))
    }

    /// Value of the first field of this name, in any case.
    package func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Bytes of the body; nil when there is none.
    package var bodyLength: Int? {
        switch body {
        case .none, .stream, .webSocket: nil
        case .bytes(let bytes): bytes.count
        case .buffer(let buffer): buffer.readableBytes
        case .deferred(let length, _): length
        }
    }
}
