import NIOCore
import NIOPosix

/// Many subscribers on one event loop.
final class Crowd: Sendable {
    let loop: any EventLoop
    let tally = Tally()
    private let group: MultiThreadedEventLoopGroup

    init() {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
    }

    /// Connects `count` subscribers and returns when every subscription stands.
    ///
    /// - Parameter hello: what the subscriber of this number says first.
    func gather(
        _ count: Int, at target: Target, readyMark: String, hello: @escaping @Sendable (Int) -> [[UInt8]]
    ) async throws {
        let tally = tally
        let before = try await loop.submit { tally.ready + tally.failed }.get()
        // So many at once as a listening queue takes.
        for made in stride(from: 0, to: count, by: 200) {
            let batch = min(200, count - made)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in made..<made + batch {
                    tasks.addTask { [group, tally] in
                        _ = try await ClientBootstrap(group: group)
                            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                            .channelInitializer { channel in
                                channel.eventLoop.makeCompletedFuture {
                                    try channel.pipeline.syncOperations.addHandler(
                                        Subscriber(
                                            target, hello: hello(number), readyMark: readyMark, tally: tally))
                                }
                            }
                            .connect(host: target.host, port: target.port).get()
                    }
                }
                try await tasks.waitForAll()
            }
            try await wait(until: 60) { tally.ready + tally.failed - before >= made + batch }
        }
        let failed = try await loop.submit { (tally.failed, tally.refusals.first ?? "") }.get()
        if failed.0 > 0 { throw Failure("\(failed.0) subscribers failed: \(failed.1)") }
    }

    /// Looks now and then whether something holds; fails after `seconds`.
    func wait(until seconds: Int, _ holds: @escaping @Sendable () -> Bool) async throws {
        let end = nanoseconds() + Int64(seconds) * 1_000_000_000
        while try await !loop.submit(holds).get() {
            guard nanoseconds() < end else { throw Failure("waited for \(seconds) seconds in vain") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func disperse() async throws { try await group.shutdownGracefully() }
}

struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Durations, and what is told of them.
struct Sample: Sendable {
    private var values: [Int64] = []

    init() {}

    mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }

    var count: Int { values.count }

    /// Milliseconds below which this share of the values lies.
    func quantile(_ share: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1e6
    }

    var summary: String {
        "p50 \(rounded(quantile(0.5))) ms, p99 \(rounded(quantile(0.99))) ms, max \(rounded(quantile(1))) ms"
    }
}

func rounded(_ number: Double) -> String {
    guard number.isFinite else { return "–" }
    let hundredths = Int((number * 100).rounded())
    let rest = abs(hundredths % 100)
    return
        "\(hundredths < 0 && hundredths > -100 ? "-" : "")\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
