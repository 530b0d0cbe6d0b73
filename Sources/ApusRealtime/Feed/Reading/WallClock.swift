#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The system's clock.
enum WallClock {
    /// Since 1970.
    static func microseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    }
}
