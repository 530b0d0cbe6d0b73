import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How the operating system shares the processors out among the threads that serve requests.
enum Scheduling {
    /// Puts the process into the class `SCHED_BATCH` (sched(7)), and with it every thread and every program that it starts,
    /// a private PostgreSQL too. Changes nothing where somebody has chosen a class already, and on other systems than Linux.
    ///
    /// On its way a request wakes one thread after the other: event loop, reactor, backend, and back. In the ordinary class a
    /// thread that is woken may interrupt the one that wakes it, which has more to hand over; so all take turns with little
    /// to do. In this one it waits until that one is done or another processor is free, and finds more to do at once.
    static func useBatches(logger: Logger) {
        #if os(Linux)
            guard sched_getscheduler(0) == SCHED_OTHER, let threads = opendir("/proc/self/task") else {
                return
            }
            defer { closedir(threads) }
            while let entry = readdir(threads) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard let thread = pid_t(name) else { continue }
                var parameters = sched_param()
                // A thread may have ended since.
                if sched_setscheduler(thread, batch, &parameters) != 0, errno != ESRCH {
                    let reason = String(cString: strerror(errno))
                    return logger.info(
                        "the scheduling class stays as it is", metadata: ["error": "\(reason)"])
                }
            }
        #endif
    }

    /// `SCHED_BATCH`, which the C library's module does not show.
    private static let batch: Int32 = 3
}
