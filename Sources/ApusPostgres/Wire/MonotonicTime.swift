#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A point on the system's monotonic clock, in nanoseconds: the reactor's time.
///
/// One integer, because the reactor compares times for every request; `ContinuousClock.Instant` holds 128
/// bits and is converted at the border.
struct MonotonicTime: Comparable, Sendable {
    var nanoseconds: Int64

    /// Later than every deadline.
    static let never = MonotonicTime(nanoseconds: .max)

    static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The same point as `instant`; `never` when there is none.
    init(_ instant: ContinuousClock.Instant?) {
        guard let instant else {
            self = .never
            return
        }
        self = .now() + ContinuousClock.now.duration(to: instant).inNanoseconds
    }

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// `nanoseconds` later; saturates at ``never``.
    static func + (left: MonotonicTime, nanoseconds: Int64) -> MonotonicTime {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// Nanoseconds from `right` to `left`; both are points of this boot, so it cannot overflow.
    static func - (left: MonotonicTime, right: MonotonicTime) -> Int64 {
        left.nanoseconds &- right.nanoseconds
    }
}

extension Duration {
    /// Whole nanoseconds, saturating.
    var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
}
