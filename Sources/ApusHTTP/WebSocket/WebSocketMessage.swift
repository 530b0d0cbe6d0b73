package import NIOCore

/// A message as it goes over the wire, in one unmasked frame (RFC 6455 §5.2), encoded once for however many
/// connections get it: they share the bytes.
package struct WebSocketMessage: Sendable {
    /// Frame head and payload.
    let frame: ByteBuffer

    /// Bytes on the wire.
    package var byteCount: Int { frame.readableBytes }

    /// The same bytes at another place. Who sends one message on two event loops gives each its own, or the processors
    /// take the count of its references from each other with every connection.
    package func copy() -> WebSocketMessage {
        var bytes = ByteBufferAllocator().buffer(capacity: frame.readableBytes)
        bytes.writeBytes(frame.readableBytesView)
        return WebSocketMessage(frame: bytes)
    }

    /// Messages that all go to the same connections, in pieces that are each sent at once.
    package static func joined(_ messages: [WebSocketMessage]) -> [WebSocketMessage] {
        if messages.count == 1 { return messages }
        var pieces: [WebSocketMessage] = []
        var frames = ByteBuffer()
        func finish() {
            if frames.readableBytes > 0 { pieces.append(WebSocketMessage(frame: frames)) }
            frames = ByteBuffer()
        }
        for message in messages {
            if frames.readableBytes + message.byteCount > Self.longestPiece { finish() }
            frames.writeImmutableBuffer(message.frame)
        }
        finish()
        return pieces
    }

    /// Bytes that go together; a longer message is a piece by itself.
    private static let longestPiece = 1 << 16

    /// A text message; the caller vouches for UTF-8.
    package static func text(_ payload: [UInt8]) -> WebSocketMessage { encode(opcode: 0x1, payload) }

    package static func text(_ payload: String) -> WebSocketMessage {
        encode(opcode: 0x1, Array(payload.utf8))
    }

    package static func binary(_ payload: [UInt8]) -> WebSocketMessage { encode(opcode: 0x2, payload) }

    static func ping() -> WebSocketMessage { encode(opcode: 0x9, []) }

    static func pong(_ payload: [UInt8]) -> WebSocketMessage { encode(opcode: 0xA, payload) }

    /// A close frame (RFC 6455 §5.5.1); a reason that is too long is cut at a character's border.
    static func close(_ code: WebSocketCloseCode?, _ reason: String) -> WebSocketMessage {
        guard let code else { return encode(opcode: 0x8, []) }
        var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for scalar in reason.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if payload.count + bytes.count > 125 { break }
            payload += bytes
        }
        return encode(opcode: 0x8, payload)
    }

    private static func encode(opcode: UInt8, _ payload: [UInt8]) -> WebSocketMessage {
        var frame = ByteBufferAllocator().buffer(capacity: payload.count + 10)
        frame.writeInteger(0x80 | opcode)
        switch payload.count {
        case 0...125: frame.writeInteger(UInt8(payload.count))
        case 126...0xFFFF:
            frame.writeInteger(UInt8(126))
            frame.writeInteger(UInt16(payload.count))
        default:
            frame.writeInteger(UInt8(127))
            frame.writeInteger(UInt64(payload.count))
        }
        frame.writeBytes(payload)
        return WebSocketMessage(frame: frame)
    }
}
