import ApusFaults
import ApusHTTP
package import Logging
import Metrics
import NIOHTTP1
import Synchronization

/// Watches requests: durations by what they did, a log line for what was slow or failed.
package final class RequestObserver: Sendable {
    private struct Series: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    /// Any other method counts as `_OTHER`, as OpenTelemetry's semantic conventions have it: over HTTP/2 a client
    /// can send whatever words it likes, and must not make series without end.
    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ]

    private let logger: Logger
    /// nil: no request is slow.
    private let slow: Duration?
    private let slowRequests: SlowRequests?
    private let timers = Mutex<[Series: Metrics.Timer]>([:])

    /// - Parameters:
    ///   - slow: from this duration on a request is logged.
    ///   - slowRequests: looks into those that came as far as the database.
    package init(logger: Logger, slow: Duration?, slowRequests: SlowRequests? = nil) {
        self.logger = logger
        self.slow = slow
        self.slowRequests = slowRequests
    }

    var looksIntoSlowRequests: Bool { slow != nil && slowRequests != nil }

    func finished(_ call: RESTCall, status: Int, fault: Fault?) {
        let duration = ContinuousClock.now - call.start
        let method = call.exchange.request.method.rawValue
        record(
            duration,
            Series(
                method: Self.methods.contains(method) ? method : "_OTHER", route: call.label, status: status))
        if let fault, status >= 500 {
            logger.error(
                "request failed",
                metadata: [
                    "request_id": "\(call.exchange.request.id)", "route": "\(call.label)",
                    "status": "\(status)",
                    "code": "\(fault.code)", "error": "\(fault.message)",
                ])
        } else if let slow, duration >= slow {
            let line: Logger.Metadata = [
                "request_id": "\(call.exchange.request.id)", "route": "\(call.label)",
                "status": "\(status)",
                "milliseconds": "\(duration / .milliseconds(1))",
            ]
            if let slowRequests, let work = call.work {
                slowRequests.log(line, work, call)
            } else {
                logger.warning("slow request", metadata: line)
            }
        }
    }

    private func record(_ duration: Duration, _ series: Series) {
        let timer = timers.withLock { timers in
            if let known = timers[series] { return known }
            let made = Metrics.Timer(
                label: "http.server.request.duration",
                dimensions: [
                    ("http.request.method", series.method), ("http.route", series.route),
                    ("http.response.status_code", String(series.status)),
                ])
            timers[series] = made
            return made
        }
        let (seconds, attoseconds) = duration.components
        timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
