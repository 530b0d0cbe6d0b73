import Synchronization

/// All series of the process, by the name and labels they are shown with.
///
/// The lock is taken to make a metric and to show all of them, never to record.
final class MetricRegistry: Sendable {
    struct Family {
        let kind: PrometheusText.Kind
        let help: String
        /// By rendered labels.
        var series: [String: any MetricCell] = [:]
    }

    /// Why a series is not shown under its own name.
    enum Rejection: String, CaseIterable {
        /// Its family has as many series as it may have; it is counted in the overflow series.
        case cardinality
        /// Another kind of metric has this name; it is not shown at all.
        case kind
    }

    /// What OpenTelemetry labels the one series with that takes what is over the limit (specification, "Metrics
    /// SDK", cardinality limits).
    static let overflowLabels = PrometheusText.render([("otel.metric.overflow", "true")])

    private struct State {
        var families: [String: Family] = [:]
        var rejections: [Rejection: Int] = [:]
    }

    private let state = Mutex(State())
    private let seriesLimit: Int

    /// `seriesLimit`: how many label sets a family may have, so that a label with a client's words in it cannot fill
    /// the memory.
    init(seriesLimit: Int) { self.seriesLimit = seriesLimit }

    /// The cell of the series, made with `make` when it is new.
    func cell<Cell: MetricCell>(
        name: String, kind: PrometheusText.Kind, help: String, labels: String, make: () -> Cell
    ) -> Cell {
        state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind, help: help)
            guard family.kind == kind else { return Self.reject(.kind, &state, make) }
            var labels = labels
            if family.series[labels] == nil, family.series.count >= seriesLimit {
                state.rejections[.cardinality, default: 0] += 1
                labels = Self.overflowLabels
            }
            if let known = family.series[labels] {
                return known as? Cell ?? Self.reject(.kind, &state, make)
            }
            let cell = make()
            family.series[labels] = cell
            state.families[name] = family
            return cell
        }
    }

    /// Forgets the series that `cell` is; unknown ones are ignored.
    func remove(_ cell: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.series.first(where: { $0.value === cell })?.key else { continue }
                state.families[name]?.series[labels] = nil
                if family.series.count == 1 { state.families[name] = nil }
            }
        }
    }

    func write(to text: inout PrometheusText) {
        let (families, rejections) = state.withLock { ($0.families, $0.rejections) }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.family(name, family.kind, help: family.help)
            for (labels, cell) in family.series.sorted(by: { $0.key < $1.key }) {
                cell.write(name: name, labels: labels, to: &text)
            }
        }
        let name = "apus_telemetry_rejected_series_total"
        text.family(name, .counter, help: "Number of times a metric could not have a series of its own.")
        for reason in Rejection.allCases {
            text.sample(name, labels: [("reason", reason.rawValue)], Double(rejections[reason] ?? 0))
        }
    }

    private static func reject<Cell: MetricCell>(
        _ reason: Rejection, _ state: inout State, _ make: () -> Cell
    ) -> Cell {
        state.rejections[reason, default: 0] += 1
        return make()
    }
}
