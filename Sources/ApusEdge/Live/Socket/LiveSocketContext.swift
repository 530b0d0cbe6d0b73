import ApusDataAPI
import ApusHTTP
import NIOHTTP1

/// What the database may read of a connection's requests (`request.headers` and its like): the handshake's fields, without
/// those by which a WebSocket is opened and a token brought along.
final class LiveSocketContext: RequestContext {
    let method = "GET"
    let path: String
    private let fields: HTTPHeaders

    convenience init(_ request: HTTPRequest) { self.init(path: "/", request.headers) }

    private init(path: String, _ fields: HTTPHeaders) {
        self.path = path
        self.fields = fields
    }

    /// The context of one of its reads.
    func reading(_ path: some StringProtocol) -> LiveSocketContext {
        LiveSocketContext(path: path.isEmpty ? "/" : String(path), fields)
    }

    func headers() -> [UInt8] {
        RESTCall.headers(
            HTTPHeaders(
                fields.filter { field in
                    let name = field.name.lowercased()
                    return !name.hasPrefix("sec-websocket-") && name != "upgrade" && name != "connection"
                }.map { ($0.name, $0.value) }))
    }

    func cookies() -> [UInt8] { RESTCall.cookies(fields) }
}
