import ApusDataAPI
package import ApusHTTP
import ApusPostgres
import NIOCore

/// One request of the dialect on its way: the exchange, when it began, and what is known of it for logs.
///
/// Sendable: its variables are touched by one stage at a time — by the event loop until the round trip is
/// submitted, and by the same event loop again when it came back (`HTTPExchange.respond(making:)`).
package final class RESTCall: @unchecked Sendable {
    /// The request, and the way back to its client.
    package let exchange: HTTPExchange
    let fields: RequestFields
    /// What stands before the dialect's paths.
    let prefix: String
    /// When the last byte of the request had arrived.
    package let start = ContinuousClock.now
    /// Action and target, once they are known.
    package var label = "rest"
    /// What it asks of the database, once that is known.
    struct Work: Sendable {
        var compiled: CompiledRequest
        var principal: Principal
        var isAnonymous: Bool
        var values: RequestValues
        var body: [UInt8]

        /// Without the request's context, which is the call that this is kept in.
        init(_ compiled: CompiledRequest, _ request: DataRequest) {
            self.compiled = compiled
            principal = request.principal
            isAnonymous = request.isAnonymous
            values = request.values
            body = request.body
        }

        func request(of call: RESTCall) -> DataRequest {
            DataRequest(
                principal: principal, isAnonymous: isAnonymous, values: values, body: body, context: call)
        }
    }
    /// For the log, if the request turns out to be slow.
    var work: Work?
    var timing: ServerTiming
    /// What stands for the request's shape, once it is known.
    var shapeKey: [UInt8] = []
    /// What it depends on was asked for.
    var isUnderstood = false
    /// Whether more than one answer is wanted.
    var liveAsk = LiveAsk()
    var waitSeconds: Int { liveAsk.waitSeconds }
    /// How long it has waited.
    var waited = TimeAmount.zero
    /// Where the log was after what it wrote.
    var position: LSN?

    init(_ exchange: HTTPExchange, prefix: String, fields: RequestFields, tellsTiming: Bool) {
        self.exchange = exchange
        self.fields = fields
        self.prefix = prefix
        timing = ServerTiming(isEnabled: tellsTiming)
    }
}

/// Durations of a request's stages, for the `Server-Timing` field (W3C Server Timing).
struct ServerTiming {
    enum Stage: Int, CaseIterable {
        case token, parse, plan, transaction, response

        var name: String {
            switch self {
            case .token: "jwt"
            case .parse: "parse"
            case .plan: "plan"
            case .transaction: "transaction"
            case .response: "response"
            }
        }
    }

    private let isEnabled: Bool
    private var began: ContinuousClock.Instant?
    private var durations: [Duration?]

    init(isEnabled: Bool) {
        self.isEnabled = isEnabled
        durations = isEnabled ? Array(repeating: nil, count: Stage.allCases.count) : []
    }

    mutating func begin() { if isEnabled { began = .now } }

    mutating func end(_ stage: Stage) {
        if isEnabled, let began { durations[stage.rawValue] = .now - began }
    }

    /// Milliseconds with one digit, stages that happened.
    var field: String {
        Stage.allCases.compactMap { stage in
            durations[stage.rawValue].map { duration in
                let tenths = Int((duration / .milliseconds(1) * 10).rounded())
                return "\(stage.name);dur=\(tenths / 10).\(tenths % 10)"
            }
        }.joined(separator: ", ")
    }
}
