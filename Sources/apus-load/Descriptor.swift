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

/// Blocks the thread until then.
func sleep(until time: Int64) {
    let left = time - nanoseconds()
    guard left > 0 else { return }
    var wish = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
    nanosleep(&wish, nil)
}

struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// TCP by the system's own calls: a library's buffers and objects would weigh more than what is measured.
enum Descriptor {
    /// Connects and returns when the other side has accepted.
    static func connect(to target: Target) throws -> Int32 {
        let descriptor = socket(AF_INET, streamType, 0)
        guard descriptor >= 0 else { throw Failure("no socket: errno \(errno)") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = target.port.bigEndian
        guard inet_pton(AF_INET, target.host, &address.sin_addr) == 1 else {
            close(descriptor)
            throw Failure("\(target.host) is no address in numbers")
        }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                systemConnect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let code = errno
            close(descriptor)
            throw Failure("cannot connect to \(target.host):\(target.port): errno \(code)")
        }
        return descriptor
    }

    /// Sends all of it; for short messages on sockets that have room.
    static func send(_ bytes: [UInt8], to descriptor: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                write(descriptor, raw.baseAddress.map { $0 + sent }, raw.count - sent)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("cannot send: errno \(errno)") }
            sent += count
        }
    }

    #if canImport(Glibc)
        private static let streamType = Int32(SOCK_STREAM.rawValue)
        private static let systemConnect = Glibc.connect
    #elseif canImport(Musl)
        private static let streamType = SOCK_STREAM
        private static let systemConnect = Musl.connect
    #else
        private static let streamType = SOCK_STREAM
        private static let systemConnect = Darwin.connect
    #endif
}
