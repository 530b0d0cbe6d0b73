import Foundation
import Metrics
import Testing

@testable import ApusTelemetry

@Suite struct PrometheusTests {
    private func lines(_ factory: PrometheusMetricsFactory) -> [Substring] {
        var bytes: [UInt8] = []
        factory.render(into: &bytes)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    @Test("counters: total at the end, only growing, one series per set of labels in any order")
    func counters() {
        let factory = PrometheusMetricsFactory()
        let one = Counter(label: "app.requests", dimensions: [("b", "2"), ("a", "1")], factory: factory)
        let same = Counter(label: "app.requests", dimensions: [("a", "1"), ("b", "2")], factory: factory)
        let other = Counter(label: "app.requests", factory: factory)
        one.increment(by: 2)
        same.increment(by: 3)
        other.increment(by: -7)
        FloatingPointCounter(label: "app.cost", factory: factory).increment(by: 0.25)
        let text = lines(factory)
        #expect(text.contains("# TYPE app_requests_total counter"))
        #expect(text.contains(#"app_requests_total{a="1",b="2"} 5"#))
        #expect(text.contains("app_requests_total 0"))
        #expect(text.contains("app_cost_total 0.25"))
    }

    @Test("gauges: meters, and recorders that do not aggregate")
    func gauges() {
        let factory = PrometheusMetricsFactory()
        let meter = Meter(label: "http.server.active_requests", factory: factory)
        meter.set(3)
        meter.increment(by: 1.5)
        meter.decrement(by: 0.5)
        Gauge(label: "queue.size", factory: factory).record(7)
        #expect(lines(factory).contains("http_server_active_requests 4"))
        #expect(lines(factory).contains("# TYPE queue_size gauge"))
        #expect(lines(factory).contains("queue_size 7"))
    }

    @Test("histograms: bounds belong to their bucket, buckets add up, sum and count agree")
    func histograms() {
        let description = MetricDescription("job.size", unit: .bytes, buckets: [10, 1], help: "Size.")
        let factory = PrometheusMetricsFactory(descriptions: [description])
        let recorder = Recorder(label: "job.size", dimensions: [("q", "x")], factory: factory)
        for value in [0.5, 1, 1.5, 10, 11, .nan, .infinity] { recorder.record(value) }
        let text = lines(factory).filter { $0.hasPrefix("job_size") }
        #expect(
            text == [
                #"job_size_bytes_bucket{q="x",le="1"} 2"#, #"job_size_bytes_bucket{q="x",le="10"} 4"#,
                #"job_size_bytes_bucket{q="x",le="+Inf"} 5"#, #"job_size_bytes_sum{q="x"} 24"#,
                #"job_size_bytes_count{q="x"} 5"#,
            ])
    }

    @Test("timers are in seconds under the semantic convention's name")
    func timers() {
        let factory = PrometheusMetricsFactory()
        let timer = Metrics.Timer(label: "http.server.request.duration", factory: factory)
        timer.recordMilliseconds(30)
        let text = lines(factory)
        #expect(
            text.contains("# HELP http_server_request_duration_seconds Duration of HTTP server requests."))
        #expect(text.contains("# TYPE http_server_request_duration_seconds histogram"))
        #expect(text.contains(#"http_server_request_duration_seconds_bucket{le="0.025"} 0"#))
        #expect(text.contains(#"http_server_request_duration_seconds_bucket{le="0.05"} 1"#))
        #expect(text.contains("http_server_request_duration_seconds_sum 0.03"))
    }

    @Test(
        "names",
        arguments: [
            (
                "db.client.operation.duration", MetricDescription.Unit.seconds, PrometheusText.Kind.histogram,
                "db_client_operation_duration_seconds"
            ),
            ("a.b_seconds", .seconds, .histogram, "a_b_seconds"), ("a-b c/ü", .none, .gauge, "a_b_c__"),
            ("1st", .none, .gauge, "_1st"), ("", .none, .gauge, "_"), ("x.total", .none, .counter, "x_total"),
            ("x.count", .none, .gauge, "x_count_current"), ("body", .bytes, .counter, "body_bytes_total"),
        ])
    func names(label: String, unit: MetricDescription.Unit, kind: PrometheusText.Kind, expected: String) {
        #expect(PrometheusName.metric(label, unit: unit, kind: kind) == expected)
    }

    @Test("label values are escaped, names made harmless, reserved ones moved away")
    func labels() {
        let hostile = "a\\b\"c\nd\u{1F600}\r\n"
        #expect(PrometheusText.render([("v", hostile)]) == "v=\"a\\\\b\\\"c\\nd\u{1F600}\r\\n\"")
        #expect(
            PrometheusText.render([("http.route", "/x"), ("le", "1"), ("__name__", "n"), ("9", "x")])
                == #"_9="x",http_route="/x",label___name__="n",label_le="1""#)
        #expect(PrometheusText.render([("a.b", "1"), ("a-b", "2")]) == #"a_b="2""#)
    }

    @Test("numbers as the format spells them")
    func numbers() {
        let all = [1, 0.1, -0.5, 1e-7, 1e300, .infinity, -.infinity, .nan, 9_007_199_254_740_991]
        #expect(
            all.map(PrometheusText.number)
                == ["1", "0.1", "-0.5", "1e-07", "1e+300", "+Inf", "-Inf", "NaN", "9007199254740991"])
    }

    @Test("what is over the limit is counted together")
    func overflow() {
        let factory = PrometheusMetricsFactory(seriesLimit: 3)
        for number in 0..<10 {
            Counter(label: "hits", dimensions: [("path", "/\(number)")], factory: factory).increment()
        }
        Counter(label: "hits", dimensions: [("path", "/0")], factory: factory).increment()
        let text = lines(factory)
        #expect(text.filter { $0.hasPrefix("hits_total") }.count == 4)
        #expect(text.contains(#"hits_total{path="/0"} 2"#))
        #expect(text.contains(#"hits_total{otel_metric_overflow="true"} 7"#))
        #expect(text.contains(#"apus_telemetry_rejected_series_total{reason="cardinality"} 7"#))
    }

    @Test("a name belongs to one kind; the second kind is counted as rejected and not shown")
    func kinds() {
        let factory = PrometheusMetricsFactory()
        Meter(label: "a.b", factory: factory).set(1)
        Recorder(label: "a_b", factory: factory).record(5)
        FloatingPointCounter(label: "c", factory: factory).increment(by: 1)
        Counter(label: "c", factory: factory).increment(by: 9)
        let text = lines(factory)
        #expect(text.filter { $0.hasPrefix("a_b") } == ["a_b 1"])
        #expect(text.filter { $0.hasPrefix("c_total") } == ["c_total 1"])
        #expect(text.contains(#"apus_telemetry_rejected_series_total{reason="kind"} 2"#))
    }

    @Test("a destroyed metric is shown no more")
    func destroy() {
        let factory = PrometheusMetricsFactory()
        let counter = Counter(label: "gone", factory: factory)
        counter.increment()
        #expect(lines(factory).contains("gone_total 1"))
        counter.destroy()
        #expect(!lines(factory).contains { $0.contains("gone") })
    }

    @Test("no increment is lost when many threads make and use the same metrics")
    func parallel() async {
        let factory = PrometheusMetricsFactory()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "n", factory: factory)
                    let amount = FloatingPointCounter(label: "f", factory: factory)
                    let timer = Metrics.Timer(label: "t", factory: factory)
                    for _ in 0..<20_000 {
                        counter.increment()
                        amount.increment(by: 0.5)
                        timer.recordNanoseconds(500_000_000)
                    }
                }
            }
        }
        let text = lines(factory)
        #expect(text.contains("n_total 160000"))
        #expect(text.contains("f_total 80000"))
        #expect(text.contains("t_seconds_sum 80000"))
        #expect(text.contains(#"t_seconds_bucket{le="0.25"} 0"#) && text.contains("t_seconds_count 160000"))
    }

    @Test(
        "promtool finds nothing to complain about", .enabled(if: promtool != nil, "promtool is not installed")
    )
    func promtoolAgrees() throws {
        let factory = PrometheusMetricsFactory(seriesLimit: 3)
        for description in MetricDescription.wellKnown {
            switch description.unit {
            case .seconds: Metrics.Timer(label: description.label, factory: factory).recordSeconds(1)
            case .bytes: Recorder(label: description.label, factory: factory).record(1)
            case .none: Meter(label: description.label, factory: factory).set(1)
            }
        }
        for number in 0..<10 {
            let labels = [("n", "\(number)"), ("quoted", "\\ \" \n \u{7F} ü")]
            Counter(label: "apus.test.events", dimensions: labels, factory: factory).increment()
            Recorder(label: "apus.test.sizes", dimensions: labels, factory: factory).record(1e300)
        }
        Gauge(label: "apus.test.count", factory: factory).record(Double.infinity)
        factory.addCollector(ProcessCollector.collect)
        factory.addCollector(BuildInfo(version: "0.0.0", revision: "a\"b").collect)
        var bytes: [UInt8] = []
        factory.render(into: &bytes)
        let check = try runPromtool(bytes)
        #expect(check.status == 0, "\(check.output)")
    }

    @Test("promtool would notice", .enabled(if: promtool != nil, "promtool is not installed"))
    func promtoolNotices() throws {
        #expect(try runPromtool(Array("x_total{a=\"b} 1\n".utf8)).status != 0)
    }

    @Test("the process and the build are there")
    func collectors() throws {
        let factory = PrometheusMetricsFactory()
        factory.addCollector(ProcessCollector.collect)
        factory.addCollector(BuildInfo(version: "1.2.3", revision: "abc").collect)
        let text = lines(factory)
        #expect(text.contains(#"apus_build_info{revision="abc",version="1.2.3"} 1"#))
        let value = { (name: String) -> Double? in
            text.first { $0.hasPrefix(name + " ") }.flatMap { Double($0.split(separator: " ")[1]) }
        }
        #expect(try #require(value("process_cpu_seconds_total")) > 0)
        #expect(try #require(value("process_max_fds")) > 2)
        #if os(Linux)
            #expect(try #require(value("process_resident_memory_bytes")) > 1_000_000)
            let start = try #require(value("process_start_time_seconds"))
            #expect((0..<86_400).contains(Date().timeIntervalSince1970 - start))
            let before = try #require(ProcessFile.entries("/proc/self/fd"))
            #expect(before >= 3)
        #endif
    }
}

/// Where Debian's `prometheus` package puts it.
private let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
    FileManager.default.isExecutableFile(atPath: $0)
}

private func runPromtool(_ text: [UInt8]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(promtool))
    process.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text))
    try input.fileHandleForWriting.close()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: said, as: UTF8.self))
}
