import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Nanoseconds of a clock that only runs forward; the same for all processes of a machine.
func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Where a WebSocket is.
struct Target: Sendable {
    var host: String
    var port: Int
    var path: String

    /// `ws://host:port/path?query`; nil for anything else.
    init?(_ url: String) {
        guard let scheme = url.range(of: "://") else { return nil }
        let rest = url[scheme.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash].split(separator: ":")
        guard let name = authority.first else { return nil }
        host = String(name)
        port = authority.count > 1 ? Int(authority[1]) ?? 80 : 80
        path = slash < rest.endIndex ? String(rest[slash...]) : "/"
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// What all subscribers of a run count together.
///
/// Sendable: there is one event loop, and it is touched on it only.
final class Tally: @unchecked Sendable {
    /// Connections whose first answer has come.
    var ready = 0
    var failed = 0
    /// Marked messages received.
    var deliveries = 0
    var bytes = 0
    var lastDelivery: Int64 = 0
    /// Called with the number in each mark; nil where only counting matters.
    var onMark: ((Int64, Int64) -> Void)?
    /// Of answers that say that a join was refused.
    var refusals: [String] = []
}

/// One WebSocket that listens. It decodes no frames: messages of the measurements carry marks, `~number~`, and those
/// are looked for in the bytes, so that the load generator costs little beside the server.
final class Subscriber: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let head: String
    private let hello: [[UInt8]]
    /// Bytes that say that the subscription stands; empty: the handshake's end does.
    private let readyMark: [UInt8]
    private let tally: Tally
    private var isOpen = false
    private var isReady = false
    private var rest: [UInt8] = []

    init(_ target: Target, hello: [[UInt8]], readyMark: String, tally: Tally) {
        head =
            "GET \(target.path) HTTP/1.1\r\nHost: \(target.host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        self.hello = hello
        self.readyMark = Array(readyMark.utf8)
        self.tally = tally
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: head)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { if isReady { tally.failed += 1 } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tally.failed += 1
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        tally.bytes += buffer.readableBytes
        if isReady { return scan(buffer) }
        rest += buffer.readableBytesView
        if !isOpen {
            guard let end = Self.find(Array("\r\n\r\n".utf8), in: rest) else { return }
            if !rest.starts(with: Array("HTTP/1.1 101".utf8)) {
                tally.refusals.append(String(decoding: rest.prefix(300), as: UTF8.self))
                tally.failed += 1
                return context.close(promise: nil)
            }
            isOpen = true
            rest.removeFirst(end + 4)
            for message in hello {
                context.write(NIOAny(Self.frame(message)), promise: nil)
            }
            context.flush()
        }
        if readyMark.isEmpty || Self.find(readyMark, in: rest) != nil {
            isReady = true
            rest = []
            tally.ready += 1
        } else if Self.find(Array(#""status":"error""#.utf8), in: rest) != nil {
            tally.refusals.append(String(decoding: rest.prefix(300), as: UTF8.self))
            tally.failed += 1
            rest = []
        }
    }

    /// A text frame with a mask of zeros, which RFC 6455 does not forbid a load generator.
    static func frame(_ payload: [UInt8], opcode: UInt8 = 0x1) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.writeInteger(0x80 | opcode)
        if payload.count < 126 {
            frame.writeInteger(0x80 | UInt8(payload.count))
        } else if payload.count <= 0xFFFF {
            frame.writeInteger(UInt8(0xFE))
            frame.writeInteger(UInt16(payload.count))
        } else {
            frame.writeInteger(UInt8(0xFF))
            frame.writeInteger(UInt64(payload.count))
        }
        frame.writeInteger(UInt32(0))
        frame.writeBytes(payload)
        return frame
    }

    // MARK: - Non public

    /// Counts marks. One that is cut in two by the network is put together with the next read.
    private func scan(_ buffer: ByteBuffer) {
        let now = nanoseconds()
        if rest.isEmpty {
            buffer.withUnsafeReadableBytes { scan($0, now) }
        } else {
            let joined = rest + buffer.readableBytesView
            rest = []
            joined.withUnsafeBytes { scan($0, now) }
        }
    }

    private func scan(_ bytes: UnsafeRawBufferPointer, _ now: Int64) {
        guard let base = bytes.baseAddress else { return }
        var position = 0
        while position < bytes.count,
            let found = memchr(base + position, 0x7E, bytes.count - position)
        {
            let start = UnsafeRawPointer(found) - base
            var end = start + 1
            var number: Int64 = 0
            while end < bytes.count, bytes[end] >= 0x30, bytes[end] <= 0x39 {
                number = number * 10 + Int64(bytes[end] - 0x30)
                end += 1
            }
            guard end < bytes.count else {
                rest = Array(bytes[start...])
                return
            }
            if bytes[end] == 0x7E {
                tally.deliveries += 1
                tally.lastDelivery = now
                tally.onMark?(number, now)
                end += 1
            }
            position = end
        }
    }

    static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { bytes[$0...].starts(with: needle) }
    }
}
