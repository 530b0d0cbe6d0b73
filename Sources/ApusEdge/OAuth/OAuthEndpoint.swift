package import ApusAuth
import ApusFaults
package import ApusHTTP
import ApusJSON
package import Logging
import NIOCore
import NIOHTTP1

/// The identity provider on HTTP exchanges. Apart from ``AuthEndpoint``, because it speaks OAuth: forms, cookies, other
/// errors, and nothing given twice.
package final class OAuthEndpoint: Sendable {
    private let service: AuthService
    private let cors: CORS
    /// Path before the routes, without a slash at its end.
    private let prefix: String
    private let trustedHops: Int
    private let cookieName: String
    private let isSecure: Bool
    private let logger: Logger

    private static let formLimit = 1 << 16

    /// - Parameters:
    ///   - prefix: path before `/oauth/…`, without a slash at its end.
    ///   - trustedHops: proxies in front whose word about the client's address holds.
    package init(
        service: AuthService, cors: CORS, prefix: String, trustedHops: Int, logger: Logger
    ) {
        self.service = service
        self.cors = cors
        self.prefix = prefix + "/oauth/"
        self.trustedHops = trustedHops
        self.logger = logger
        cookieName = service.oauthCookieName
        isSecure = service.settings.externalURL.hasPrefix("https://")
    }

    /// Answers an exchange, unless its path is none of the provider's.
    package func respond(_ exchange: HTTPExchange) -> Bool {
        let request = exchange.request
        guard request.path.hasPrefix(prefix),
            let route = Route(rawValue: String(request.path.dropFirst(prefix.count)))
        else { return false }
        if let preflight = cors.preflight(request) {
            exchange.respond(preflight)
            return true
        }
        let task = Task {
            let response = await answer(route, request)
            exchange.respond(making: {
                var response = response
                if !route.isPage { response.fields += self.cors.fields(for: request) }
                if self.isSecure { response.fields.append(AuthResponse.strictTransport) }
                if request.method == .HEAD { response.body = .none }
                return response
            })
        }
        exchange.onAbandon { task.cancel() }
        return true
    }

    /// Answers with the provider's metadata, where RFC 8414 looks for it.
    package func respondToDiscovery(_ exchange: HTTPExchange) {
        if let preflight = cors.preflight(exchange.request) { return exchange.respond(preflight) }
        let task = Task {
            let answer = try? await service.discovery(AuthCall())
            let response = answer.map { AuthResponse.make($0) } ?? HTTPResponse(status: 500)
            exchange.respond(making: {
                var response = response
                response.fields += self.cors.fields(for: exchange.request)
                return response
            })
        }
        exchange.onAbandon { task.cancel() }
    }

    // MARK: - Non public

    private enum Route: String {
        case authorize
        case carryOn = "authorize/continue"
        case token
        case revoke
        case introspect
        case userinfo

        /// Whether people see it.
        var isPage: Bool { self == .authorize || self == .carryOn }

        func allows(_ method: HTTPMethod) -> Bool {
            switch self {
            case .authorize, .userinfo: method == .GET || method == .HEAD || method == .POST
            default: method == .POST
            }
        }
    }

    private func answer(_ route: Route, _ request: HTTPRequest) async -> HTTPResponse {
        do {
            guard route.allows(request.method) else {
                throw OAuthFault("invalid_request", "Not with this method.", status: 405)
            }
            let call = try call(request)
            let answer: AuthAnswer =
                switch route {
                case .authorize: try await service.authorize(call)
                case .carryOn: try await service.continueAuthorization(call)
                case .token: try await service.oauthToken(call)
                case .revoke: try await service.revokeToken(call)
                case .introspect: try await service.introspectToken(call)
                case .userinfo: try await service.userInfo(call)
                }
            return AuthResponse.make(answer)
        } catch {
            return response(to: error, request)
        }
    }

    private func response(to error: any Error, _ request: HTTPRequest) -> HTTPResponse {
        var fault: OAuthFault
        var retryAfter: Int?
        switch error {
        case let error as OAuthFault: fault = error
        case let error as AuthFault:
            fault = OAuthFault(
                error.status >= 500 ? "server_error" : error.status == 429 ? "slow_down" : "invalid_request",
                error.message, status: error.status)
            retryAfter = error.retryAfter
        default:
            logger.error(
                "the identity provider failed", metadata: ["request": "\(request.id)", "reason": "\(error)"])
            fault = OAuthFault("server_error", "Something went wrong here.", status: 500)
        }
        var fields = [
            HeaderField("Content-Type", "application/json"), HeaderField("Cache-Control", "no-store"),
        ]
        if let challenge = fault.challenge { fields.append(.init("WWW-Authenticate", challenge)) }
        if let retryAfter { fields.append(.init("Retry-After", String(retryAfter))) }
        let body: JSONObject = [
            "error": .string(fault.error), "error_description": .string(fault.description),
        ]
        return HTTPResponse(status: fault.status, fields: fields, body: .bytes(JSONValue.object(body).bytes))
    }

    private func call(_ request: HTTPRequest) throws(OAuthFault) -> OAuthCall {
        let type = request.headers.first(name: "content-type")?.lowercased() ?? ""
        let isForm = request.method == .POST && type.hasPrefix("application/x-www-form-urlencoded")
        var text = request.query
        if isForm, let body = request.body {
            guard body.readableBytes <= Self.formLimit else {
                throw OAuthFault("invalid_request", "The form is too large.", status: 413)
            }
            let form = String(decoding: body.readableBytesView, as: UTF8.self)
            // What a query says beside a form is a second place for the same names.
            text = text.isEmpty ? form[...] : (text + "&" + form)[...]
        }
        guard let pairs = AuthRequest.form(text) else {
            throw OAuthFault("invalid_request", "The parameters cannot be read.")
        }
        let call = AuthCall(
            address: ClientAddress.of(request, trustedHops: trustedHops),
            userAgent: request.headers.first(name: "user-agent").map { String($0.prefix(512)) })
        return OAuthCall(
            parameters: OAuthParameters(pairs), call: call,
            authorization: request.headers.first(name: "authorization"),
            isForm: isForm, cookie: cookie(request), origin: request.headers.first(name: "origin"))
    }

    /// Our cookie, when it came once: two of one name mean that somebody else set one.
    private func cookie(_ request: HTTPRequest) -> String? {
        let found = request.headers["cookie"].flatMap { $0.split(separator: ";") }.compactMap {
            part -> String? in
            let pair = part.drop { $0 == " " }
            return pair.hasPrefix(cookieName + "=") ? String(pair.dropFirst(cookieName.count + 1)) : nil
        }
        return found.count == 1 ? found.first : nil
    }
}
