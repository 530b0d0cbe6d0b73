#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A process that is looked at from outside, by `/proc`.
struct ObservedProcess: Sendable {
    var pid: Int

    /// Resident memory in bytes.
    var residentBytes: Int {
        ProcFile.lines("/proc/\(pid)/status").first { $0.hasPrefix("VmRSS:") }
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1_024 } ?? 0
    }

    /// Processor time in milliseconds, in steps of ten.
    var processorTime: Int {
        guard let line = ProcFile.lines("/proc/\(pid)/stat").first, let end = line.lastIndex(of: ")") else {
            return 0
        }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return 0 }
        return (user + system) * 10
    }
}

/// How much of the processors the server, this program and the whole machine used meanwhile.
struct Usage {
    private struct Reading {
        var server: Int
        var own: Int
        /// Of all processes of the machine, in milliseconds; also what the machine's own host took away.
        var all: Int
        var stolen: Int
    }

    private let server: ObservedProcess
    private let began = nanoseconds()
    private let before: Reading
    private static let own = ObservedProcess(pid: Int(getpid()))

    init(_ server: ObservedProcess) {
        self.server = server
        before = Self.read(server)
    }

    /// Milliseconds of the server's processor so far.
    var serverTime: Int { server.processorTime - before.server }

    var text: String {
        let wall = max(1, Double(nanoseconds() - began) / 1e6)
        let now = Self.read(server)
        func share(_ part: KeyPath<Reading, Int>) -> String {
            rounded(Double(now[keyPath: part] - before[keyPath: part]) / wall)
        }
        let stolen = now.stolen - before.stolen > 50 ? ", taken by its host \(share(\.stolen))" : ""
        return
            "processors: server \(share(\.server)), generator \(share(\.own)), "
            + "whole machine \(share(\.all))\(stolen)"
    }

    private static func read(_ server: ObservedProcess) -> Reading {
        // user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)), in hundredths of a second.
        let all =
            ProcFile.lines("/proc/stat").first?.split(separator: " ").dropFirst().compactMap { Int($0) } ?? []
        let busy = all.count > 7 ? all[0] + all[1] + all[2] + all[5] + all[6] : 0
        return Reading(
            server: server.processorTime, own: own.processorTime, all: 10 * busy,
            stolen: all.count > 7 ? 10 * all[7] : 0)
    }
}
