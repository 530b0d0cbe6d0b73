import ApusFaults
package import ApusHTTP
import ApusTokens
import NIOHTTP1

/// `/live/v1`: many live reads on one WebSocket. Connections outlive configurations: limits stay as they were at the
/// start, reads and tokens are those of the newest one.
package final class LiveSocketEndpoint: Sendable {
    package let settings: LiveSocketSettings
    private let current: @Sendable () -> RESTEndpoint

    /// - Parameter current: what answers reads under the configuration that holds now.
    package init(settings: LiveSocketSettings, current: @escaping @Sendable () -> RESTEndpoint) {
        self.settings = settings
        self.current = current
    }

    var rest: RESTEndpoint { current() }

    /// Answers an exchange at the prefix.
    package func respond(_ exchange: HTTPExchange) {
        let request = exchange.request
        let offered = WebSocketUpgrade.subprotocols(in: request.headers)
        let token = Self.token(of: request, offered)
        if let refusal = Credentials.refusal(of: token.map { $0[...] }, request.headers) {
            return exchange.respond(Problem.response(refusal.fault))
        }
        let context = LiveSocketContext(request)
        let endpoint = self
        exchange.respond(
            WebSocketUpgrade.response(
                to: request, limits: settings.webSocket,
                subprotocol: offered.contains(Self.subprotocol) ? Self.subprotocol : nil
            ) { socket in
                LiveConnection(socket, endpoint, token: token, context: context)
            })
    }

    // MARK: - Non public

    private static let subprotocol = "apus.live.v1"
    private static let tokenMark = "bearer."

    /// Of the subprotocol `bearer.…`, else of the header fields, else of `apikey` in the URL.
    private static func token(of request: HTTPRequest, _ offered: [String]) -> String? {
        if let marked = offered.first(where: { $0.hasPrefix(tokenMark) }) {
            return String(marked.dropFirst(tokenMark.count))
        }
        if let token = Credentials.bearer(in: request.headers) { return String(token) }
        guard let key = QueryText.parameters(request.query)["apikey"], Credentials.isCredential(key) else {
            return nil
        }
        return key
    }
}
