import ApusDataAPI
import ApusHTTP
import ApusREST
import NIOHTTP1
import Synchronization

/// What the database may read of one request of a batch: its own method and path, and the fields that the dialect knows
/// where it has its own. All others are the batch's: what a proxy says of a client must not be said by the client.
final class BatchPartContext: RequestContext {
    let method: String
    let path: String
    private let fields: HTTPHeaders

    /// - Parameter target: of the request, with what its references point to.
    init(_ part: BatchRequest.Part, target: String, in call: RESTCall) {
        method = part.method
        path = String(target.prefix { $0 != "?" })
        var fields = call.exchange.request.headers
        for (name, value) in part.headers where RESTRequest.Fields.knows(name) {
            fields.replaceOrAdd(name: name, value: value)
        }
        self.fields = fields
    }

    func headers() -> [UInt8] { RESTCall.headers(fields) }

    func cookies() -> [UInt8] { RESTCall.cookies(fields) }
}

/// How a batch goes, for the log and for who sent it.
final class BatchProgress: Sendable {
    private struct State {
        var slowest: (work: RESTCall.Work, duration: Duration)?
        var failed: String?
    }

    private let state = Mutex(State())

    /// The request that took longest, whether it succeeded or not: the log tells a slow batch by it.
    var slowest: RESTCall.Work? { state.withLock { $0.slowest?.work } }

    /// Id of the request that failed.
    var failed: String? { state.withLock { $0.failed } }

    func took(_ duration: Duration, _ work: RESTCall.Work) {
        state.withLock { state in
            if duration > state.slowest?.duration ?? .zero { state.slowest = (work, duration) }
        }
    }

    func failed(at id: String) { state.withLock { $0.failed = id } }
}
