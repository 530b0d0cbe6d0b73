import NIOCore

/// Joins the frames of one connection to messages and checks what RFC 6455 asks of a client. Pure: it is told of
/// frames and says what to do.
struct WebSocketAssembler {
    /// One frame, unmasked.
    struct Frame {
        var isFinal: Bool
        /// The three reserved bits (§5.2); no extension is negotiated, so they must be 0.
        var reserved: UInt8 = 0
        var isMasked = true
        var opcode: UInt8
        var payload: ByteBuffer
    }

    enum Action: Equatable {
        /// A part of a message; more follows.
        case wait
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case pong(ByteBuffer)
        /// The client has answered a ping, or says that it is there.
        case alive
        /// The client closes, with this code where it gave one.
        case closed(WebSocketCloseCode?)
        /// The connection ends with this code.
        case fail(WebSocketCloseCode, String)
    }

    private let messageBytes: Int
    /// The message that has begun: whether it is text, and its bytes so far.
    private var begun: (isText: Bool, bytes: ByteBuffer)?

    init(messageBytes: Int) { self.messageBytes = messageBytes }

    mutating func receive(_ frame: Frame) -> Action {
        guard frame.isMasked else { return .fail(.protocolError, "a client's frame must be masked") }
        guard frame.reserved == 0 else { return .fail(.protocolError, "no extension was agreed on") }
        switch frame.opcode {
        case 0x0: return resume(frame)
        case 0x1, 0x2: return begin(frame)
        case 0x8: return Self.close(frame.payload)
        case 0x9: return .pong(frame.payload)
        case 0xA: return .alive
        default: return .fail(.protocolError, "unknown opcode")
        }
    }

    // MARK: - Non public

    private mutating func begin(_ frame: Frame) -> Action {
        guard begun == nil else { return .fail(.protocolError, "a message inside a message") }
        guard frame.payload.readableBytes <= messageBytes else { return Self.tooLarge }
        if frame.isFinal { return Self.message(isText: frame.opcode == 0x1, frame.payload) }
        begun = (frame.opcode == 0x1, frame.payload)
        return .wait
    }

    private mutating func resume(_ frame: Frame) -> Action {
        guard var (isText, bytes) = begun else {
            return .fail(.protocolError, "the rest of a message that never began")
        }
        // Lets go of the stored reference, so that appending does not copy what came before.
        begun = nil
        guard bytes.readableBytes + frame.payload.readableBytes <= messageBytes else { return Self.tooLarge }
        var payload = frame.payload
        bytes.writeBuffer(&payload)
        if frame.isFinal { return Self.message(isText: isText, bytes) }
        begun = (isText, bytes)
        return .wait
    }

    private static let tooLarge = Action.fail(.messageTooLarge, "the message is too large")

    private static func message(isText: Bool, _ bytes: ByteBuffer) -> Action {
        guard isText else { return .binary(bytes) }
        guard isUTF8(bytes) else { return .fail(.invalidPayload, "text must be UTF-8") }
        return .text(bytes)
    }

    private static func close(_ payload: ByteBuffer) -> Action {
        var payload = payload
        guard payload.readableBytes > 0 else { return .closed(nil) }
        guard let number = payload.readInteger(as: UInt16.self) else {
            return .fail(.protocolError, "half a close code")
        }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.mayTravel else { return .fail(.protocolError, "not a close code") }
        guard isUTF8(payload) else { return .fail(.invalidPayload, "text must be UTF-8") }
        return .closed(code)
    }

    private static func isUTF8(_ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { bytes in
            bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
        }
    }
}
