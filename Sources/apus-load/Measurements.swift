/// The measurements of changes that come from the database, through channels. Each begins with a table of its own and
/// checks that every subscriber got every row of its own exactly once.
struct Measurements {
    var target: Target
    var database: String
    var server: ObservedProcess
    var figures: Figures

    /// A join with entries of `postgres_changes`.
    static func join(filters: [String?]) -> [UInt8] {
        let entries = filters.map { filter in
            #"{"event":"INSERT","schema":"public","table":"apus_load""#
                + (filter.map { #","filter":"\#($0)""# } ?? "") + "}"
        }
        return Array(
            (#"{"event":"phx_join","topic":"realtime:load","ref":"1","join_ref":"1","payload":{"config":{"#
                + #""postgres_changes":[\#(entries.joined(separator: ","))]}}}"#).utf8)
    }

    /// What a join is answered with when changes flow.
    static let subscribed = "Subscribed to PostgreSQL"

    // MARK: - From the commit to the client

    /// One subscriber that hears of every row.
    func single(rate: Int = 100, seconds: Int = 10) async throws {
        let crowd = Crowd(readyMark: Self.subscribed)
        let outcome = try await follow(crowd, 1, buckets: nil, rate: rate, seconds: seconds)
        try figures.add(
            Figure(
                work: "commit to client, 1 subscriber, \(rate) commits/s", figure: outcome.text,
                goal: "p50 ≤ 3 ms, p99 ≤ 10 ms",
                isMet: outcome.isComplete && outcome.fromAnswer.p50 <= 3 && outcome.fromAnswer.p99 <= 10))
    }

    /// Subscribers each of which hears of one bucket in a hundred.
    func filtered(subscribers: Int = 1_000, rate: Int = 1_000, seconds: Int = 10) async throws {
        let crowd = Crowd(readyMark: Self.subscribed)
        let outcome = try await follow(crowd, subscribers, buckets: 100, rate: rate, seconds: seconds)
        try figures.add(
            Figure(
                work:
                    "\(grouped(rate)) commits/s, \(grouped(subscribers)) subscribers each matching 1 % "
                    + "by filter",
                figure: outcome.text, goal: "p99 ≤ 50 ms, none lost",
                isMet: outcome.isComplete && outcome.fromAnswer.p99 <= 50))
    }

    private struct Outcome {
        var fromAnswer = Sample()
        var fromSending = Sample()
        var isComplete: Bool
        var text = ""
    }

    private func follow(
        _ crowd: Crowd, _ subscribers: Int, buckets: Int?, rate: Int, seconds: Int
    ) async throws -> Outcome {
        let writer = Writer(database)
        try await writer.prepare()
        try crowd.gather(subscribers, at: target) { place in
            buckets.map { .remainder(place % $0, of: $0) } ?? .all
        } hello: { place in
            [Self.join(filters: [buckets.map { "bucket=eq.\(place % $0)" }])]
        }
        try await warmUp(writer, crowd)
        crowd.count(arrivals: true)
        let (count, first) = (rate * seconds, Self.warmUpRows)
        let times = Times(count: first + count)
        let usage = Usage(server)
        let pace = Pace.run(writer, first..<first + count, perSecond: rate, times: times) { number in
            number % (buckets ?? 1)
        }
        let expected = count * (buckets.map { subscribers / $0 } ?? subscribers)
        try? crowd.pump(seconds: seconds + 20) { crowd.deliveries >= expected }
        let processors = usage.text
        await pace.value
        // What is wrong would come a moment later.
        crowd.pump(milliseconds: 200)
        var outcome = Outcome(isComplete: crowd.mistakes(first..<first + count) == 0)
        for (number, time) in crowd.arrivals {
            let answer = times.answer(number)
            outcome.fromAnswer.add(answer == 0 ? 0 : max(0, time - answer))
            outcome.fromSending.add(time - times.sending(number))
        }
        try await writer.remove()
        outcome.text =
            "from the commit's answer \(outcome.fromAnswer.summary); from sending the statement "
            + "\(outcome.fromSending.summary); \(crowd.verdict(first..<first + count)); \(processors)"
        return outcome
    }

    /// Rows before those that count: statements are prepared, buffers have grown.
    private static let warmUpRows = 200

    private func warmUp(_ writer: Writer, _ crowd: Crowd) async throws {
        let times = Times(count: Self.warmUpRows)
        let pace = Pace.run(writer, 0..<Self.warmUpRows, perSecond: 200, times: times) { $0 % 100 }
        await pace.value
        let end = nanoseconds() + 500_000_000
        while nanoseconds() < end { crowd.pump(milliseconds: 50) }
    }

    // MARK: - Matching

    /// What one change costs among so many filters of which one matches. In milliseconds of the server's processor.
    func matching(subscriptions: Int, rate: Int = 500, seconds: Int = 8) async throws -> Double {
        let writer = Writer(database)
        try await writer.prepare()
        let crowd = Crowd(readyMark: Self.subscribed)
        let each = min(100, subscriptions)
        let bucket: @Sendable (Int) -> Int = { $0 &* 7_919 % subscriptions }
        try crowd.gather(subscriptions / each, at: target) { _ in
            .owned { number in bucket(number) / each }
        } hello: { place in
            [Self.join(filters: (0..<each).map { "bucket=eq.\(place * each + $0)" })]
        }
        try await warmUp(writer, crowd)
        crowd.count(arrivals: true)
        let (count, first) = (rate * seconds, Self.warmUpRows)
        let times = Times(count: first + count)
        let usage = Usage(server)
        let pace = Pace.run(writer, first..<first + count, perSecond: rate, times: times, bucket: bucket)
        try? crowd.pump(seconds: seconds + 20) { crowd.deliveries >= count }
        let cost = Double(usage.serverTime) / Double(count)
        await pace.value
        var sample = Sample()
        for (number, time) in crowd.arrivals {
            let answer = times.answer(number)
            sample.add(answer == 0 ? 0 : max(0, time - answer))
        }
        try await writer.remove()
        try figures.add(
            Figure(
                work: "one change among \(grouped(subscriptions)) equality filters",
                figure:
                    "\(rounded(cost * 1_000)) µs of the server's processors at \(rate) commits/s; "
                    + "from the commit's "
                    + "answer \(sample.summary); \(crowd.verdict(first..<first + count))"))
        return crowd.mistakes(first..<first + count) == 0 ? cost : .infinity
    }

    // MARK: - Fan-out and memory

    /// Rows to all of many subscribers: one at a time, then at a rate.
    func fanOut(subscribers: Int, rows: Int, rate: Int, seconds: Int) async throws {
        let writer = Writer(database)
        try await writer.prepare()
        try await memory(subscribers)
        let crowd = Crowd(readyMark: Self.subscribed)
        try crowd.gather(subscribers, at: target, hello: { _ in [Self.join(filters: ["bucket=eq.0"])] })
        try await Task.sleep(for: .seconds(1))
        let last = try await alone(crowd, writer, subscribers, rows: rows)
        try await sustained(crowd, writer, subscribers, rate: rate, seconds: seconds, first: last)
        try await writer.remove()
    }

    /// What each of the later four fifths of the sockets adds, so that memory that the start has left free counts
    /// for nothing. Each has a filter of its own.
    private func memory(_ subscribers: Int) async throws {
        let crowd = Crowd(readyMark: Self.subscribed)
        let first = subscribers / 5
        try crowd.gather(first, at: target, hello: { [Self.join(filters: ["bucket=eq.\($0)"])] })
        try await Task.sleep(for: .seconds(1))
        let before = server.residentBytes
        try crowd.gather(
            subscribers - first, at: target, hello: { [Self.join(filters: ["bucket=eq.\(first + $0)"])] })
        try await Task.sleep(for: .seconds(2))
        let all = server.residentBytes
        let each = Double(all - before) / Double(subscribers - first) / 1_024
        try figures.add(
            Figure(
                work: "memory of an idle subscribed WebSocket, each with a filter of its own",
                figure:
                    "\(rounded(each)) KB of the server's resident memory, by the growth "
                    + "from \(grouped(first)) "
                    + "to \(grouped(subscribers)); all of the server \(all >> 20) MB",
                goal: "≤ 12 KB", isMet: each <= 12))
    }

    /// Each row is committed when everybody has the one before. Returns the next number.
    private func alone(
        _ crowd: Crowd, _ writer: Writer, _ subscribers: Int, rows count: Int
    ) async throws -> Int {
        var (took, isRight) = (Sample(), true)
        let usage = Usage(server)
        for number in 0..<count {
            crowd.count(arrivals: false)
            let times = Times(count: count)
            let pace = Pace.run(writer, number..<number + 1, perSecond: 1, times: times) { _ in 0 }
            try crowd.pump(seconds: 30) { crowd.deliveries >= subscribers }
            await pace.value
            isRight = isRight && crowd.mistakes(number..<number + 1) == 0
            // The first ones grow buffers.
            if number >= 5 { took.add(crowd.lastDelivery - times.sending(Int64(number))) }
        }
        let processors = usage.text
        let speed = Double(subscribers) / took.p50 * 1_000
        try figures.add(
            Figure(
                work: "fan-out of one row to \(grouped(subscribers)) WebSockets, rows one by one",
                figure: "\(grouped(Int(speed))) deliveries/s; from sending the statement to the last client "
                    + took.summary + (isRight ? "; each row once to each; " : "; WRONG; ") + processors,
                goal: "≥ 200,000 deliveries/s", isMet: isRight && speed >= 200_000))
        return count
    }

    /// Transactions of one row each, at a rate.
    private func sustained(
        _ crowd: Crowd, _ writer: Writer, _ subscribers: Int, rate: Int, seconds: Int, first: Int
    ) async throws {
        let count = rate * seconds
        crowd.count(arrivals: false)
        let times = Times(count: first + count)
        let usage = Usage(server)
        let pace = Pace.run(writer, first..<first + count, perSecond: rate, times: times) { _ in 0 }
        let expected = count * subscribers
        try? crowd.pump(seconds: seconds + 30) { crowd.deliveries >= expected }
        let processors = usage.text
        await pace.value
        crowd.pump(milliseconds: 200)
        let took = Double(crowd.lastDelivery - times.sending(Int64(first))) / 1e9
        let speed = Double(crowd.deliveries) / took
        try figures.add(
            Figure(
                work: "the same, \(rate) transactions of one row a second for \(seconds) s",
                figure:
                    "\(grouped(Int(speed))) deliveries/s; the last \(rounded(took - Double(count - 1) / Double(rate))) s "
                    + "after its statement; \(crowd.verdict(first..<first + count)); \(processors)",
                goal: "≥ 200,000 deliveries/s",
                isMet: speed >= 200_000 && crowd.mistakes(first..<first + count) == 0))
    }
}

extension Crowd {
    /// Whether each got each of its own among these numbers exactly once.
    func verdict(_ numbers: Range<Int>) -> String {
        let wrong = mistakes(numbers)
        if wrong == 0 { return "\(grouped(deliveries)) deliveries, each row once to each" }
        return "\(grouped(deliveries)) deliveries, \(grouped(wrong)) subscribers got WRONG ones"
    }
}
