import NIOCore

/// Cuts what Redis sends into values.
struct RESPDecoder: ByteToMessageDecoder {
    typealias InboundOut = RESPValue

    /// Bounds on one value: a stream's answer holds some transactions' parts of a megabyte or a little more.
    private static let longestBulk = 512 << 20
    private static let longestArray = 1 << 20
    private static let deepest = 8

    mutating func decode(
        context: ChannelHandlerContext, buffer: inout ByteBuffer
    ) throws -> DecodingState {
        let start = buffer.readerIndex
        guard let value = try Self.read(&buffer, depth: 0) else {
            buffer.moveReaderIndex(to: start)
            return .needMoreData
        }
        context.fireChannelRead(wrapInboundOut(value))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { .needMoreData }

    /// nil when it is not all there.
    static func read(_ buffer: inout ByteBuffer, depth: Int) throws -> RESPValue? {
        guard depth < deepest else { throw RedisFailure.malformed }
        guard let line = line(&buffer) else { return nil }
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line.first {
        case UInt8(ascii: "+"): return .simple(text)
        case UInt8(ascii: "-"): return .error(text)
        case UInt8(ascii: ":"): return .integer(try number(text))
        case UInt8(ascii: "$"):
            let count = try number(text)
            guard count >= 0 else { return .bulk(nil) }
            guard count <= longestBulk else { throw RedisFailure.malformed }
            guard buffer.readableBytes >= count + 2, let bytes = buffer.readBytes(length: count) else {
                return nil
            }
            buffer.moveReaderIndex(forwardBy: 2)
            return .bulk(bytes)
        case UInt8(ascii: "*"):
            let count = try number(text)
            guard count >= 0 else { return .array(nil) }
            guard count <= longestArray else { throw RedisFailure.malformed }
            var items: [RESPValue] = []
            for _ in 0..<count {
                guard let item = try read(&buffer, depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .array(items)
        default: throw RedisFailure.malformed
        }
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text) else { throw RedisFailure.malformed }
        return number
    }

    /// Up to CR LF, which is taken too.
    private static func line(_ buffer: inout ByteBuffer) -> [UInt8]? {
        let view = buffer.readableBytesView
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")), end > view.startIndex else { return nil }
        let length = end - view.startIndex
        defer { buffer.moveReaderIndex(forwardBy: length + 1) }
        return buffer.getBytes(at: buffer.readerIndex, length: length - 1)
    }
}
