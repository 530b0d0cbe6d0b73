package import ApusDataAPI
import ApusPostgres
package import Logging
import Synchronization

/// Log lines for slow requests: which shape of request, by which plan, how long. Never a value.
///
/// The plan is asked for after the request was answered, with the request's own values and as its caller, once in a
/// while for each shape; one at a time, so that a database that is slow because it has too much to do is not given
/// more.
package final class SlowRequests: Sendable {
    /// Asks PostgreSQL for the plan; nil when it does not tell.
    package typealias Explain = @Sendable (CompiledRequest, DataRequest) async -> PlanEstimate?

    private struct Known {
        var estimate: PlanEstimate?
        var until: ContinuousClock.Instant
    }

    private struct State {
        /// By fingerprint of shape and role.
        var known: [String: Known] = [:]
        var isAsking = false
    }

    private let logger: Logger
    private let explain: Explain
    private let state = Mutex(State())

    /// How long a plan is taken to be the one that is used.
    private static let lifetime = Duration.seconds(300)
    private static let most = 1_000
    /// Longest text of a statement in a line, in characters.
    private static let longestStatement = 2_000

    package init(logger: Logger, explain: @escaping Explain) {
        self.logger = logger
        self.explain = explain
    }

    /// Writes the line, at once or when the plan is known.
    func log(_ line: Logger.Metadata, _ work: RESTCall.Work, _ call: RESTCall) {
        let shape = work.compiled.shapeFingerprint
        var line = line
        line["shape"] = "\(shape)"
        let key = shape + " " + work.principal.role
        enum Step { case write(PlanEstimate?), ask }
        let step = state.withLock { state -> Step in
            if let known = state.known[key], known.until > .now { return .write(known.estimate) }
            if state.isAsking { return .write(state.known[key]?.estimate) }
            state.isAsking = true
            return .ask
        }
        switch step {
        case .write(let estimate): write(line, estimate)
        case .ask:
            Task { [line] in
                let estimate = await explain(work.compiled, work.request(of: call))
                state.withLock { state in
                    if state.known.count >= Self.most { state.known.removeAll() }
                    state.known[key] = Known(estimate: estimate, until: .now + Self.lifetime)
                    state.isAsking = false
                }
                var line = line
                line["statement"] = "\(work.compiled.statement.prefix(Self.longestStatement))"
                write(line, estimate)
            }
        }
    }

    private func write(_ line: Logger.Metadata, _ estimate: PlanEstimate?) {
        var line = line
        if let estimate {
            line["plan"] = "\(estimate.shownFingerprint)"
            line["cost"] = "\(estimate.cost)"
        }
        logger.warning("slow request", metadata: line)
    }
}
