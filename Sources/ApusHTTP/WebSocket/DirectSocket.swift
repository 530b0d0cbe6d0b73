import NIOCore
import NIOSSL

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The system's socket below a connection without TLS, to be written to while nothing waits in NIO's queue.
///
/// A change that ten thousand connections hear of is ten thousand writes; on the way through a channel, its pipeline and its
/// queue each touches a dozen objects that are not in the processor's caches.
struct DirectSocket {
    private let descriptor: NIOBSDSocket.Handle

    /// nil where bytes are not sent as they are, or not by a socket.
    init?(_ pipeline: ChannelPipeline) {
        let operations = pipeline.syncOperations
        guard (try? operations.handler(type: NIOSSLServerHandler.self)) == nil,
            let descriptor = try? operations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self, { $0 })
        else { return nil }
        self.descriptor = descriptor
    }

    /// Sends what the system takes at once, and takes it off `bytes`. What is left, also after a failure, which shows itself
    /// again there, is for the channel to send.
    func send(_ bytes: inout ByteBuffer) {
        while bytes.readableBytes > 0 {
            let count = bytes.withUnsafeReadableBytes { bytes in
                systemSend(descriptor, bytes.baseAddress, bytes.count, Self.flags)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes.moveReaderIndex(forwardBy: count)
        }
    }

    #if canImport(Darwin)
        // NIO sets SO_NOSIGPIPE.
        private static let flags = MSG_DONTWAIT
    #else
        private static let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
    #endif
}

/// `send(2)`, which has the name of a method above.
private func systemSend(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: CInt) -> Int {
    send(descriptor, bytes, count, flags)
}
