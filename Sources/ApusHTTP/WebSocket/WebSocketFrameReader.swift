import NIOCore

/// Cuts what comes over a connection into frames (RFC 6455 §5.2). Pure.
///
/// Ours and not NIO's, because a connection that is idle keeps it for hours: between frames it holds nothing, and it
/// stands in the handler and not beside it.
struct WebSocketFrameReader {
    enum Failure: Error, Equatable {
        /// Longer than this server takes.
        case tooLarge
        /// A control frame that is too long or in parts (§5.5).
        case badControl
    }

    /// The beginning of a frame; nil between frames.
    private var rest: ByteBuffer?
    private let frameBytes: Int
    /// Bytes that have been read are dropped when there are so many.
    private static let dropsFrom = 64 << 10

    init(frameBytes: Int) { self.frameBytes = frameBytes }

    mutating func append(_ bytes: ByteBuffer) {
        guard var all = rest else {
            rest = bytes
            return
        }
        // Lets go of the stored reference, so that appending does not copy what is there.
        rest = nil
        if all.readerIndex > Self.dropsFrom { all.discardReadBytes() }
        var bytes = bytes
        all.writeBuffer(&bytes)
        rest = all
    }

    /// The next frame, unmasked; nil until it is complete.
    mutating func next() throws(Failure) -> WebSocketAssembler.Frame? {
        guard var all = rest else { return nil }
        rest = nil
        let frame = try Self.frame(&all, frameBytes)
        if all.readableBytes > 0 { rest = all }
        return frame
    }

    /// Bytes of memory that it holds.
    var heldBytes: Int { rest?.capacity ?? 0 }

    // MARK: - Non public

    private static func frame(
        _ bytes: inout ByteBuffer, _ frameBytes: Int
    ) throws(Failure) -> WebSocketAssembler.Frame? {
        let start = bytes.readerIndex
        guard let head = bytes.getInteger(at: start, as: UInt16.self) else { return nil }
        let first = UInt8(head >> 8)
        let (isMasked, short) = (head & 0x80 != 0, Int(head & 0x7F))
        if first & 0x08 != 0, short > 125 || first & 0x80 == 0 { throw .badControl }
        var position = start + 2
        var length = short
        switch short {
        case 126:
            guard let value = bytes.getInteger(at: position, as: UInt16.self) else { return nil }
            (length, position) = (Int(value), position + 2)
        case 127:
            guard let value = bytes.getInteger(at: position, as: UInt64.self) else { return nil }
            guard let value = Int(exactly: value) else { throw .tooLarge }
            (length, position) = (value, position + 8)
        default: break
        }
        guard length <= frameBytes else { throw .tooLarge }
        var mask: UInt32 = 0
        if isMasked {
            guard let value = bytes.getInteger(at: position, as: UInt32.self) else { return nil }
            (mask, position) = (value, position + 4)
        }
        guard let masked = bytes.getSlice(at: position, length: length) else { return nil }
        bytes.moveReaderIndex(to: position + length)
        return WebSocketAssembler.Frame(
            isFinal: first & 0x80 != 0, reserved: first >> 4 & 7, isMasked: isMasked, opcode: first & 0x0F,
            payload: mask == 0 ? masked : unmasked(masked, mask))
    }

    /// A copy, because what was read may belong to more than one frame.
    private static func unmasked(_ masked: ByteBuffer, _ mask: UInt32) -> ByteBuffer {
        var payload = ByteBufferAllocator().buffer(capacity: masked.readableBytes)
        payload.writeWithUnsafeMutableBytes(minimumWritableBytes: masked.readableBytes) { target in
            masked.withUnsafeReadableBytes { source in
                let wide = UInt64(mask.bigEndian) << 32 | UInt64(mask.bigEndian)
                var place = 0
                while place + 8 <= source.count {
                    let word = source.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ wide
                    target.storeBytes(of: word, toByteOffset: place, as: UInt64.self)
                    place += 8
                }
                while place < source.count {
                    target[place] = source[place] ^ UInt8(truncatingIfNeeded: mask >> (24 - 8 * (place % 4)))
                    place += 1
                }
                return source.count
            }
        }
        return payload
    }
}
