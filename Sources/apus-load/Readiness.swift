#if os(Linux)
    import CEpoll
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which of many descriptors can be read. On Linux each is told once, until it was read empty and has something anew.
struct Readiness: ~Copyable {
    #if os(Linux)
        private let set = epoll_create1(0)
        private var events = [epoll_event](repeating: epoll_event(), count: 1_024)

        deinit { close(set) }

        mutating func add(_ descriptor: Int32, number: Int) {
            var event = epoll_event()
            event.events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
            event.data.u64 = UInt64(number)
            epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event)
        }

        /// Calls `body` with the number of each that can be read; waits for one as long as this.
        mutating func wait(milliseconds: Int32, _ body: (Int) -> Void) {
            let count = epoll_wait(set, &events, Int32(events.count), milliseconds)
            for place in 0..<max(0, Int(count)) { body(Int(events[place].data.u64)) }
        }
    #else
        private var polled: [pollfd] = []

        mutating func add(_ descriptor: Int32, number: Int) {
            while polled.count <= number { polled.append(pollfd(fd: -1, events: 0, revents: 0)) }
            polled[number] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        }

        mutating func wait(milliseconds: Int32, _ body: (Int) -> Void) {
            guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return }
            for place in polled.indices where polled[place].revents != 0 { body(place) }
        }
    #endif
}
