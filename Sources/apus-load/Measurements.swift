import NIOCore
import Synchronization

/// The measurements of changes that come from the database, through channels.
struct Measurements: Sendable {
    var target: Target
    var database: String
    /// Process of the server, for its memory.
    var pid: Int

    /// A join of `realtime:load` with entries of `postgres_changes`.
    static func join(topic: String, filters: [String?]) -> [UInt8] {
        let entries = filters.map { filter in
            #"{"event":"INSERT","schema":"public","table":"apus_load""#
                + (filter.map { #","filter":"\#($0)""# } ?? "") + "}"
        }
        return Array(
            (#"{"event":"phx_join","topic":"realtime:\#(topic)","ref":"1","join_ref":"1","payload":{"config":{"#
                + #""postgres_changes":[\#(entries.joined(separator: ","))]}}}"#).utf8)
    }

    /// What a join is answered with when changes flow.
    static let subscribed = "Subscribed to PostgreSQL"

    /// `commits` rows a second to subscribers of which each hears of one bucket in `buckets`; from the commit's answer,
    /// and from the statement's sending, to each client.
    func changes(
        _ title: String, subscribers: Int, buckets: Int?, rate: Int, seconds: Int
    ) async throws -> String {
        let writer = Writer(database)
        try await writer.prepare()
        let crowd = Crowd()
        try await crowd.gather(subscribers, at: target, readyMark: Self.subscribed) { number in
            [Self.join(topic: "load", filters: [buckets.map { "bucket=eq.\(number % $0)" }])]
        }
        let times = Times(count: rate * seconds)
        let arrivals = Arrivals()
        try await crowd.loop.submit { crowd.tally.onMark = { number, now in arrivals.add(number, now) } }
            .get()
        let start = nanoseconds()
        for number in 0..<rate * seconds {
            let due = start + Int64(number) * 1_000_000_000 / Int64(rate)
            while nanoseconds() < due { try await Task.sleep(for: .microseconds(200)) }
            times.sent(number)
            writer.write(Int64(number), bucket: number % (buckets ?? 1)) { _ in times.answered(number) }
        }
        let each = buckets.map { subscribers / $0 } ?? subscribers
        let expected = rate * seconds * each
        try? await crowd.wait(until: 20) { crowd.tally.deliveries >= expected }
        let (got, all) = try await crowd.loop.submit { (crowd.tally.deliveries, arrivals.all) }.get()
        var fromAnswer = Sample()
        var fromSending = Sample()
        for (number, now) in all {
            fromAnswer.add(max(0, now - times.answer(Int(number))))
            fromSending.add(now - times.sending(Int(number)))
        }
        try await crowd.disperse()
        try await writer.remove()
        return
            "\(title): commit to client \(fromAnswer.summary); statement to client \(fromSending.summary); "
            + "\(got) of \(expected) delivered"
    }

    /// One row to many, and many rows to many.
    func fanOut(subscribers: Int, rows: Int) async throws -> String {
        let writer = Writer(database)
        try await writer.prepare()
        let crowd = Crowd()
        let before = memory()
        try await crowd.gather(subscribers, at: target, readyMark: Self.subscribed) { _ in
            [Self.join(topic: "load", filters: [nil])]
        }
        try await Task.sleep(for: .seconds(2))
        let each = (memory() - before) * 1_024 / subscribers
        var lines = ["memory of an idle subscribed WebSocket: \(rounded(Double(each) / 1_024)) KB"]
        var next: Int64 = 0
        for count in [1, 1, 1, rows] {
            let expected = subscribers * count
            let base = try await crowd.loop.submit { crowd.tally.deliveries }.get()
            let start = nanoseconds()
            try await writer.writeTogether(next..<next + Int64(count))
            next += Int64(count)
            try await crowd.wait(until: 60) { crowd.tally.deliveries - base >= expected }
            let last = try await crowd.loop.submit { crowd.tally.lastDelivery }.get()
            let seconds = Double(last - start) / 1e9
            lines.append(
                "fan-out of \(count) row\(count == 1 ? "" : "s") to \(subscribers): \(rounded(seconds * 1_000)) ms, "
                    + "\(Int(Double(expected) / seconds)) deliveries/s")
        }
        try await crowd.disperse()
        try await writer.remove()
        return lines.joined(separator: "\n")
    }

    /// One change that one of many subscriptions wants: what the others cost.
    func matching(subscriptions: Int, rate: Int, seconds: Int) async throws -> (Double, String) {
        let writer = Writer(database)
        try await writer.prepare()
        let crowd = Crowd()
        let perConnection = min(100, subscriptions)
        try await crowd.gather(subscriptions / perConnection, at: target, readyMark: Self.subscribed) {
            number in
            [
                Self.join(
                    topic: "load",
                    filters: (0..<perConnection).map { "bucket=eq.\(number * perConnection + $0)" })
            ]
        }
        let times = Times(count: rate * seconds)
        let arrivals = Arrivals()
        try await crowd.loop.submit { crowd.tally.onMark = { arrivals.add($0, $1) } }.get()
        let processor = processorTime()
        let start = nanoseconds()
        for number in 0..<rate * seconds {
            let due = start + Int64(number) * 1_000_000_000 / Int64(rate)
            while nanoseconds() < due { try await Task.sleep(for: .microseconds(200)) }
            times.sent(number)
            writer.write(Int64(number), bucket: number * 7919 % subscriptions) { _ in times.answered(number) }
        }
        try? await crowd.wait(until: 20) { crowd.tally.deliveries >= rate * seconds }
        let used = Double(processorTime() - processor) / Double(rate * seconds)
        let all = try await crowd.loop.submit { arrivals.all }.get()
        var sample = Sample()
        for (number, now) in all { sample.add(max(0, now - times.answer(Int(number)))) }
        try await crowd.disperse()
        try await writer.remove()
        return (
            used,
            "\(subscriptions) filters: \(rounded(used)) ms of the server's processor for a change; commit to client "
                + "\(sample.summary); \(all.count) of \(rate * seconds) delivered"
        )
    }

    // MARK: - The server's process

    /// Resident memory in KB.
    func memory() -> Int {
        ProcFile.lines("/proc/\(pid)/status").first { $0.hasPrefix("VmRSS:") }
            .flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    /// Processor time in milliseconds, in steps of ten.
    func processorTime() -> Int {
        guard let line = ProcFile.lines("/proc/\(pid)/stat").first, let end = line.lastIndex(of: ")") else {
            return 0
        }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return 0 }
        return (user + system) * 10
    }
}

/// When statements were sent and answered.
final class Times: Sendable {
    private let times: Mutex<(sent: [Int64], answered: [Int64])>

    init(count: Int) {
        times = Mutex((Array(repeating: 0, count: count), Array(repeating: 0, count: count)))
    }

    func sent(_ number: Int) { times.withLock { $0.sent[number] = nanoseconds() } }
    func answered(_ number: Int) { times.withLock { $0.answered[number] = nanoseconds() } }
    func sending(_ number: Int) -> Int64 { times.withLock { $0.sent[number] } }
    /// Now, for one that has not been answered yet: its change was faster.
    func answer(_ number: Int) -> Int64 {
        times.withLock { $0.answered[number] == 0 ? nanoseconds() : $0.answered[number] }
    }
}

/// Marks with the times at which they came.
///
/// Sendable: touched on the crowd's event loop only.
final class Arrivals: @unchecked Sendable {
    private(set) var all: [(Int64, Int64)] = []

    func add(_ number: Int64, _ now: Int64) { all.append((number, now)) }
}
