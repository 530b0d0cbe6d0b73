import CLibPQ

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Waits for many sockets at once: `epoll` on Linux, `poll` elsewhere. Level-triggered on both.
///
/// Belongs to one thread.
struct Poller: ~Copyable {
    /// What happened at one socket.
    struct Event {
        /// The number the socket was added under.
        var token: UInt64
        var isReadable: Bool
        var isWritable: Bool
    }

    /// What a socket is watched for.
    struct Interest: Equatable {
        var reads = true
        var writes = false
    }

    /// What the last ``wait(milliseconds:)`` saw.
    private(set) var events: [Event] = []

    #if os(Linux)
        private let descriptor: Int32
        private var buffer = [epoll_event](repeating: epoll_event(), count: 128)

        init() throws(WireFailure) {
            descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
            if descriptor < 0 { throw .system(call: "epoll_create1", errno: errno) }
        }

        deinit { close(descriptor) }

        /// Watches `socket` for input.
        mutating func add(_ socket: Int32, token: UInt64) {
            control(EPOLL_CTL_ADD, socket, token, Interest())
        }

        mutating func update(_ socket: Int32, token: UInt64, _ interest: Interest) {
            control(EPOLL_CTL_MOD, socket, token, interest)
        }

        /// A socket must be removed before it is closed: its number may be given out again.
        mutating func remove(_ socket: Int32) {
            control(EPOLL_CTL_DEL, socket, 0, Interest())
        }

        private func control(_ operation: Int32, _ socket: Int32, _ token: UInt64, _ interest: Interest) {
            var event = epoll_event()
            event.events =
                (interest.reads ? EPOLLIN.rawValue | EPOLLRDHUP.rawValue : 0)
                | (interest.writes ? EPOLLOUT.rawValue : 0)
            event.data.u64 = token
            epoll_ctl(descriptor, operation, socket, &event)
        }

        /// Waits for at most `milliseconds` (−1: for ever), and fills ``events``.
        mutating func wait(milliseconds: Int32) {
            events.removeAll(keepingCapacity: true)
            let count = epoll_wait(descriptor, &buffer, Int32(buffer.count), milliseconds)
            guard count > 0 else { return }
            for event in buffer[..<Int(count)] {
                // A hang-up or an error shows as readable: the read then says what it is.
                events.append(
                    Event(
                        token: event.data.u64,
                        isReadable: event.events & ~EPOLLOUT.rawValue != 0,
                        isWritable: event.events & EPOLLOUT.rawValue != 0))
            }
        }
    #else
        private var watched: [pollfd] = []
        private var tokens: [UInt64] = []

        init() throws(WireFailure) {}

        mutating func add(_ socket: Int32, token: UInt64) {
            watched.append(pollfd(fd: socket, events: Self.events(Interest()), revents: 0))
            tokens.append(token)
        }

        mutating func update(_ socket: Int32, token: UInt64, _ interest: Interest) {
            guard let index = watched.firstIndex(where: { $0.fd == socket }) else { return }
            watched[index].events = Self.events(interest)
            tokens[index] = token
        }

        mutating func remove(_ socket: Int32) {
            guard let index = watched.firstIndex(where: { $0.fd == socket }) else { return }
            watched.remove(at: index)
            tokens.remove(at: index)
        }

        private static func events(_ interest: Interest) -> Int16 {
            Int16((interest.reads ? POLLIN : 0) | (interest.writes ? POLLOUT : 0))
        }

        mutating func wait(milliseconds: Int32) {
            events.removeAll(keepingCapacity: true)
            guard poll(&watched, nfds_t(watched.count), milliseconds) > 0 else { return }
            for (index, entry) in watched.enumerated() where entry.revents != 0 {
                events.append(
                    Event(
                        token: tokens[index], isReadable: entry.revents & ~Int16(POLLOUT) != 0,
                        isWritable: entry.revents & Int16(POLLOUT) != 0))
            }
        }
    #endif
}
