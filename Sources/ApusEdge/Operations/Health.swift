import ApusFaults
package import ApusHTTP

/// `/health/live` and `/health/ready`, for load balancers and orchestrators.
///
/// Live: the process answers. Ready: it can do its work now; not while it starts, drains or has lost its
/// database, so that traffic goes elsewhere meanwhile.
package struct Health: Sendable {
    /// Whether requests can be answered now.
    package enum Readiness: Sendable {
        case ready
        /// Why not, in one sentence.
        case notReady(String)
    }

    private let readiness: @Sendable () -> Readiness

    package init(readiness: @escaping @Sendable () -> Readiness) { self.readiness = readiness }

    /// Answers 200 always: that it answers is the news.
    package func live(_ exchange: HTTPExchange) {
        exchange.respond(.text(#"{"status":"live"}"#, type: "application/json"))
    }

    /// Answers 200, or 503 with the reason.
    package func ready(_ exchange: HTTPExchange) {
        switch readiness() {
        case .ready: exchange.respond(.text(#"{"status":"ready"}"#, type: "application/json"))
        case .notReady(let reason):
            exchange.respond(
                Problem.response(
                    .init(
                        code: "APUS503", kind: .unavailable, message: reason, hint: "Try again in a moment."))
            )
        }
    }
}
