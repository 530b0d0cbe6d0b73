import NIOCore

/// Stands before NIO's HTTP/2 handler and sees whether it has said GOAWAY (RFC 9113 §6.8), after which the connection
/// is of no more use. NIO tells of errors of a stream and of the whole connection alike, and closes for neither.
final class HTTP2FarewellHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private(set) var hasSaidGoodbye = false

    /// A frame of eight bytes, of type 7, without flags, on stream 0; the last of what is written.
    private static let head: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0]
    private static let frameBytes = 17

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data).readableBytesView
        if bytes.count >= Self.frameBytes, bytes.suffix(Self.frameBytes).starts(with: Self.head) {
            hasSaidGoodbye = true
        }
        context.write(data, promise: promise)
    }
}
