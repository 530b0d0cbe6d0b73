import ApusFaults
import Crypto
import NIOCore
package import NIOHTTP1

/// Says yes to a client that wants a WebSocket, and what shall stand behind it (RFC 6455 §4.2).
package final class WebSocketUpgrade: Sendable {
    /// Makes what stands behind the connection; called once, on its event loop, before the first message.
    package typealias MakeReceiver = @Sendable (WebSocket) -> any WebSocketReceiver

    let limits: WebSocketLimits
    let makeReceiver: MakeReceiver

    private init(limits: WebSocketLimits, makeReceiver: @escaping MakeReceiver) {
        self.limits = limits
        self.makeReceiver = makeReceiver
    }

    /// The answer to a request that wants to become a WebSocket: 101; 426 when it does not ask for one, 400 when it
    /// asks wrongly.
    ///
    /// - Parameters:
    ///   - subprotocol: the one of those that the client offered (``subprotocols(in:)``) that is spoken.
    ///   - makeReceiver: called after the answer was written.
    package static func response(
        to request: HTTPRequest, limits: WebSocketLimits, subprotocol: String? = nil,
        makeReceiver: @escaping MakeReceiver
    ) -> HTTPResponse {
        guard asks(request.method, request.headers) else {
            return refusal(426, "This address speaks WebSocket.")
        }
        guard request.headers.first(name: "sec-websocket-version") == "13" else {
            return refusal(426, "Only version 13 of the WebSocket protocol is spoken.")
        }
        guard let key = request.headers.first(name: "sec-websocket-key"), key.utf8.count == 24 else {
            return refusal(400, "Sec-WebSocket-Key must be 16 bytes in base64.")
        }
        var response = HTTPResponse(
            status: 101,
            fields: [
                .init("Upgrade", "websocket"), .init("Connection", "Upgrade"),
                .init("Sec-WebSocket-Accept", accept(key)),
            ], body: .webSocket(WebSocketUpgrade(limits: limits, makeReceiver: makeReceiver)))
        if let subprotocol { response.fields.append(.init("Sec-WebSocket-Protocol", subprotocol)) }
        return response
    }

    /// The subprotocols that a client offers, in its order.
    package static func subprotocols(in headers: HTTPHeaders) -> [String] {
        headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
    }

    /// Whether a request asks for a WebSocket (§4.2.1).
    static func asks(_ method: HTTPMethod, _ headers: HTTPHeaders) -> Bool {
        method == .GET
            && headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
            && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    // MARK: - Non public

    private static func refusal(_ status: Int, _ title: String) -> HTTPResponse {
        var fields = [
            HeaderField("Content-Type", "application/problem+json"), .init("Upgrade", "websocket"),
            .init("Sec-WebSocket-Version", "13"),
        ]
        if status == 400 { fields.removeSubrange(1...) }
        let hint = "Open it with a WebSocket client, over HTTP/1.1."
        let body =
            #"{"type":"about:blank","status":\#(status),"code":"APUS\#(status)","title":"\#(title)","hint":"\#(hint)"}"#
        return HTTPResponse(status: status, fields: fields, body: .bytes(Array(body.utf8)))
    }

    /// §4.2.2, step 5.
    private static func accept(_ key: String) -> String {
        base64(Array(Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))))
    }

    /// RFC 4648 §4.
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)]
                text.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
