#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The process itself, under the names that Prometheus' own clients use.
///
/// What a system does not tell without special rights is left out; resident memory, descriptors and the start are
/// read from `/proc`, so on Linux only.
package enum ProcessCollector {
    /// For ``PrometheusMetricsFactory/addCollector(_:)``.
    package static func collect(into text: inout PrometheusText) {
        text.family(
            "process_cpu_seconds_total", .counter, help: "Total user and system CPU time spent in seconds.")
        text.sample("process_cpu_seconds_total", seconds(CLOCK_PROCESS_CPUTIME_ID))
        #if os(Linux)
            if let pages = ProcessFile.read("/proc/self/statm")?.split(separator: " "), pages.count > 1,
                let virtual = Double(pages[0]), let resident = Double(pages[1])
            {
                let page = Double(sysconf(Int32(_SC_PAGESIZE)))
                gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", virtual * page, &text)
                gauge(
                    "process_resident_memory_bytes", "Resident memory size in bytes.", resident * page, &text)
            }
            if let count = ProcessFile.entries("/proc/self/fd") {
                gauge("process_open_fds", "Number of open file descriptors.", Double(count), &text)
            }
            if let start = startTime() {
                let help = "Start time of the process since unix epoch in seconds."
                gauge("process_start_time_seconds", help, start, &text)
            }
        #endif
        gauge(
            "process_max_fds", "Maximum number of open file descriptors.",
            Double(sysconf(Int32(_SC_OPEN_MAX))), &text)
    }

    // MARK: - Non public

    private static func gauge(_ name: String, _ help: String, _ value: Double, _ text: inout PrometheusText) {
        text.family(name, .gauge, help: help)
        text.sample(name, value)
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    #if os(Linux)
        /// Field 22 of `/proc/self/stat` (proc(5)): ticks from the machine's start to the process'. The second field,
        /// the program's name in parentheses, may hold anything.
        private static func startTime() -> Double? {
            guard let stat = ProcessFile.read("/proc/self/stat"), let name = stat.lastIndex(of: ")") else {
                return nil
            }
            let fields = stat[name...].split(separator: " ")
            guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
            let sinceBoot = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
            return seconds(CLOCK_REALTIME) - (seconds(CLOCK_BOOTTIME) - sinceBoot)
        }
    #endif
}
