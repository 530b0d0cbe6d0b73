import NIOCore
import NIOHTTP1

/// Stands before NIO's request decoder: takes the requests that ``HTTP1Recognizer`` knows straight to the connection's
/// handler, and leaves everything else to the decoder.
///
/// The two must never disagree about where a request ends. So the decoder gets either exactly the bytes of one request,
/// whose head was recognized and said how long its body is; or, when the head was not recognized, everything that comes
/// on this connection from there on.
final class HTTP1FrontHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Who reads the next byte.
    private enum Reader {
        case recognizer
        /// The decoder, until it has this many bytes.
        case decoder(rest: Int)
        case decoderForGood
    }

    private let connection: HTTP1ConnectionHandler
    private var recognizer: HTTP1Recognizer
    private var reader = Reader.recognizer

    init(_ connection: HTTP1ConnectionHandler, limits: HTTPLimits) {
        self.connection = connection
        recognizer = HTTP1Recognizer(limits: limits)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        while buffer.readableBytes > 0 {
            connection.bytesArrived()
            switch reader {
            case .recognizer: recognize(&buffer, context)
            case .decoder(let rest): decode(&buffer, rest, context)
            case .decoderForGood: return context.fireChannelRead(wrapInboundOut(buffer))
            }
        }
    }

    private func recognize(_ buffer: inout ByteBuffer, _ context: ChannelHandlerContext) {
        guard connection.isBetweenRequests,
            let head = buffer.withUnsafeReadableBytes({ recognizer.recognize($0) })
        else {
            reader = .decoderForGood
            return
        }
        let length = head.headLength + head.bodyLength
        guard length <= buffer.readableBytes else {
            reader = .decoder(rest: length)
            return
        }
        let target = buffer.withUnsafeReadableBytes { String(decoding: $0[head.target], as: UTF8.self) }
        buffer.moveReaderIndex(forwardBy: head.headLength)
        let body = head.bodyLength > 0 ? buffer.readSlice(length: head.bodyLength) : nil
        connection.receive(method: head.method, target: target, fields: head.fields, body: body, context)
    }

    private func decode(_ buffer: inout ByteBuffer, _ rest: Int, _ context: ChannelHandlerContext) {
        let length = min(rest, buffer.readableBytes)
        guard let part = buffer.readSlice(length: length) else { return }
        reader = .decoder(rest: rest - length)
        context.fireChannelRead(wrapInboundOut(part))
        if rest == length { reader = connection.isBetweenRequests ? .recognizer : .decoderForGood }
    }
}
