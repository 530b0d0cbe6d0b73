import ApusFaults
package import ApusHTTP
import ApusJSON
import ApusRealtime
import ApusTokens
import NIOHTTP1

/// `/realtime/v1`: the WebSocket of channels, and broadcasts over HTTP.
package final class RealtimeEndpoint: Sendable {
    let hub: RealtimeHub
    private let cors: CORS

    package init(hub: RealtimeHub, cors: CORS) {
        self.hub = hub
        self.cors = cors
    }

    /// Answers an exchange below the prefix.
    package func respond(_ exchange: HTTPExchange) {
        let request = exchange.request
        if let preflight = cors.preflight(request) { return exchange.respond(preflight) }
        let path = request.path.dropFirst(hub.settings.prefix.count)
        let parts = path.split(separator: "/").map { PercentText.decoded($0) }
        switch (request.method, parts.count) {
        case (.GET, 1) where parts[0] == "websocket", (.GET, 2) where parts == ["socket", "websocket"]:
            open(exchange)
        case (.POST, 2) where parts == ["api", "broadcast"]: broadcast(exchange)
        case (.POST, 5) where parts[0] == "api" && parts[1] == "broadcast" && parts[3] == "events":
            broadcast(exchange, topic: parts[2] ?? "", event: parts[4] ?? "")
        default:
            answer(exchange, 404, ["error": .string("Nothing is served at this path")])
        }
    }

    // MARK: - WebSocket

    private func open(_ exchange: HTTPExchange) {
        let query = QueryText.parameters(exchange.request.query)
        guard let version = ChannelVersion(query["vsn"]) else {
            return answer(exchange, 400, ["error": .string("vsn must be 1.0.0 or 2.0.0")])
        }
        guard let token = token(of: exchange.request, query) else {
            return answer(exchange, 401, ["error": .string("Missing API key: send apikey in the URL")])
        }
        if let refusal = Credentials.refusal(of: token[...], exchange.request.headers) {
            return answer(exchange, 401, ["error": .string(refusal.fault.message)])
        }
        do throws(ChannelFault) {
            _ = try RealtimeCaller(token: token, verifier: hub.verifier)
        } catch {
            return answer(exchange, 401, ["error": .string(error.reason)])
        }
        let address = ClientAddress.of(exchange.request, trustedHops: hub.settings.trustedHops)
        if let fault = hub.admission.refusal(of: address) {
            return answer(
                exchange, 429, ["error": .string(fault.reason)], more: [.init("Retry-After", "1")])
        }
        let hub = hub
        exchange.respond(
            WebSocketUpgrade.response(to: exchange.request, limits: hub.settings.webSocket) { socket in
                RealtimeConnection(socket, version: version, token: token, hub: hub)
            })
    }

    /// `x-api-key`, `apikey` in the URL or among the fields, or a bearer token.
    func token(of request: HTTPRequest, _ query: [String: String]) -> String? {
        let candidates = [
            request.headers.first(name: "x-api-key"), query["apikey"],
            Credentials.bearer(in: request.headers).map(String.init),
        ]
        return candidates.compactMap { $0 }.first { !$0.isEmpty }
    }

    func answer(
        _ exchange: HTTPExchange, _ status: Int, _ body: JSONObject?, more: [HeaderField] = []
    ) {
        var fields = cors.fields(for: exchange.request) + more
        if body != nil { fields.append(.init("Content-Type", "application/json; charset=utf-8")) }
        exchange.respond(
            HTTPResponse(
                status: status, fields: fields, body: .bytes(body.map { JSONValue.object($0).bytes } ?? [])))
    }
}

/// Query strings (the URL standard, "application/x-www-form-urlencoded parsing").
enum QueryText {
    /// The last value of a name.
    static func parameters(_ query: Substring) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let equals = pair.firstIndex(of: "=") ?? pair.endIndex
            let value = equals < pair.endIndex ? pair[pair.index(after: equals)...] : ""
            guard let name = PercentText.decoded(pair[..<equals]),
                let text = PercentText.decoded(Substring(value.replacing("+", with: " ")))
            else { continue }
            parameters[name] = text
        }
        return parameters
    }
}

/// Percent-encoding (RFC 3986 §2.1).
enum PercentText {
    /// nil for what is not UTF-8 when decoded, or encoded wrongly.
    static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
