import CLibPQ

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ends another thread's wait: an `eventfd` on Linux, a pipe elsewhere.
///
/// Its descriptors live as long as the object, so a late signal hits nothing foreign.
final class WakeUp: Sendable {
    /// Becomes readable when somebody signalled.
    let readable: Int32
    private let writable: Int32

    init() throws(WireFailure) {
        #if os(Linux)
            readable = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
            writable = readable
            if readable < 0 { throw .system(call: "eventfd", errno: errno) }
        #else
            var ends: [Int32] = [-1, -1]
            if pipe(&ends) != 0 { throw .system(call: "pipe", errno: errno) }
            for end in ends {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
            readable = ends[0]
            writable = ends[1]
        #endif
    }

    deinit {
        close(readable)
        if writable != readable { close(writable) }
    }

    /// Safe from any thread. A full pipe or counter means that a signal is pending already.
    func signal() {
        var one: UInt64 = 1
        _ = write(writable, &one, 8)
    }

    /// Takes back all signals; called by the thread that waits.
    func reset() {
        var sink: UInt64 = 0
        while read(readable, &sink, 8) == 8 {
            #if os(Linux)
                return
            #endif
        }
    }
}
