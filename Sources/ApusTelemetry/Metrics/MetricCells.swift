import Metrics
import Synchronization

/// One series' value. Cells are found once, when a metric is made; after that, recording is an atomic addition.
protocol MetricCell: AnyObject, Sendable {
    /// Appends the series' samples. `labels` are rendered, without braces.
    func write(name: String, labels: String, to text: inout PrometheusText)
}

/// A number of events; it only grows.
final class CounterCell: CounterHandler, MetricCell {
    private let count = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { count.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        text.sample(name, rendered: labels, value: String(count.load(ordering: .relaxed)))
    }
}

/// An amount with a fraction; it only grows.
final class FloatingPointCounterCell: FloatingPointCounterHandler, MetricCell {
    private let amount = AtomicDouble()

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        self.amount.add(amount)
    }

    func reset() { amount.store(0) }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        text.sample(name, rendered: labels, value: PrometheusText.number(amount.value))
    }
}

/// A value that goes up and down: swift-metrics' meters, and its recorders that do not aggregate.
final class GaugeCell: MeterHandler, RecorderHandler, MetricCell {
    private let value = AtomicDouble()

    func set(_ value: Int64) { self.value.store(Double(value)) }
    func set(_ value: Double) { self.value.store(value) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        text.sample(name, rendered: labels, value: PrometheusText.number(value.value))
    }
}

/// How values are spread: swift-metrics' timers, in seconds, and its recorders.
final class HistogramCell: TimerHandler, RecorderHandler, MetricCell {
    /// Counts what fell between the bound before and its own.
    private final class Bucket: Sendable {
        let count = Atomic<UInt64>(0)
    }

    /// Upper bounds, ascending; what is above the last is counted in one bucket more.
    private let bounds: [Double]
    private let buckets: [Bucket]
    private let sum = AtomicDouble()

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Bucket() }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    /// What is not a number is left out: it would make the sum useless for ever.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        buckets[index].count.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    /// `_count` is the sum of the buckets that were read, so that the samples agree with each other while others
    /// record.
    func write(name: String, labels: String, to text: inout PrometheusText) {
        let comma = labels.isEmpty ? "" : ","
        var total: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            total += bucket.count.load(ordering: .relaxed)
            let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
            text.sample("\(name)_bucket", rendered: "\(labels)\(comma)le=\"\(bound)\"", value: String(total))
        }
        text.sample("\(name)_sum", rendered: labels, value: PrometheusText.number(sum.value))
        text.sample("\(name)_count", rendered: labels, value: String(total))
    }
}
