package import Metrics
import Synchronization

/// Keeps what the program counts and measures through swift-metrics, and shows it to Prometheus.
///
/// Make metrics once and keep them: making one takes a lock, recording is an atomic addition.
package final class PrometheusMetricsFactory: MetricsFactory, Sendable {
    /// Writes whole families whose values are read when somebody looks, for instance a pool's.
    package typealias Collector = @Sendable (inout PrometheusText) -> Void

    private let descriptions: [String: MetricDescription]
    private let registry: MetricRegistry
    private let collectors = Mutex<[Collector]>([])

    /// - Parameters:
    ///   - descriptions: Texts, units and buckets for metrics by label; of two for a label the later counts.
    ///   - seriesLimit: How many label sets a metric may have; what is over it is counted together in a series
    ///     labelled `otel_metric_overflow="true"`.
    package init(descriptions: [MetricDescription] = MetricDescription.wellKnown, seriesLimit: Int = 1000) {
        self.descriptions = Dictionary(descriptions.map { ($0.label, $0) }) { $1 }
        registry = MetricRegistry(seriesLimit: seriesLimit)
    }

    /// Appends everything in the text exposition format; `Content-Type` is ``contentType``.
    package func render(into bytes: inout [UInt8]) {
        var text = PrometheusText(after: bytes)
        registry.write(to: &text)
        for collect in collectors.withLock({ $0 }) { collect(&text) }
        bytes = text.finish()
    }

    /// What ``render(into:)`` writes.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Shows what `collect` writes, after everything else. Its families' names must be its own.
    package func addCollector(_ collect: @escaping Collector) {
        collectors.withLock { $0.append(collect) }
    }

    // MARK: - MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter) { _ in CounterCell() }
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, dimensions, .counter) { _ in FloatingPointCounterCell() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .gauge) { _ in GaugeCell() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return cell(label, dimensions, .gauge) { _ in GaugeCell() } }
        return cell(label, dimensions, .histogram) { HistogramCell(bounds: $0) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .histogram, isTimer: true) { HistogramCell(bounds: $0) }
    }

    package func destroyCounter(_ handler: any CounterHandler) { registry.remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        registry.remove(handler)
    }
    package func destroyMeter(_ handler: any MeterHandler) { registry.remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { registry.remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { registry.remove(handler) }

    // MARK: - Non public

    private func cell<Cell: MetricCell>(
        _ label: String, _ dimensions: [(String, String)], _ kind: PrometheusText.Kind, isTimer: Bool = false,
        make: ([Double]) -> Cell
    ) -> Cell {
        let description = descriptions[label]
        let unit = isTimer ? .seconds : description?.unit ?? .none
        return registry.cell(
            name: PrometheusName.metric(description?.name ?? label, unit: unit, kind: kind), kind: kind,
            help: description?.help ?? "The metric \(label).", labels: PrometheusText.render(dimensions)
        ) { make(description?.buckets ?? MetricDescription.defaultBuckets) }
    }
}
