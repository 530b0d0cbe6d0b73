package import ApusAuth
import ApusFaults
package import ApusHTTP
import ApusJSON
import ApusPostgres
package import ApusTokens
package import Logging
import NIOCore
import NIOHTTP1

/// Authentication on HTTP exchanges: finds the route, reads the request, knows the caller, words the answer.
package final class AuthEndpoint: Sendable {
    private let service: AuthService
    private let verifier: TokenVerifier
    private let cors: CORS
    /// Path before the routes, without a slash at its end.
    package let prefix: String
    private let trustedHops: Int
    private let isSecure: Bool
    private let logger: Logger

    /// A request that is worked on for longer is answered with 504.
    private static let deadline = Duration.seconds(10)

    /// - Parameters:
    ///   - prefix: path before the routes, without a slash at its end.
    ///   - trustedHops: proxies in front whose word about the client's address holds.
    package init(
        service: AuthService, verifier: TokenVerifier, cors: CORS, prefix: String, trustedHops: Int,
        logger: Logger
    ) {
        self.service = service
        self.verifier = verifier
        self.cors = cors
        self.prefix = prefix
        self.trustedHops = trustedHops
        isSecure = service.settings.externalURL.hasPrefix("https://")
        self.logger = logger
    }

    /// Answers an exchange below the prefix.
    package func respond(_ exchange: HTTPExchange) {
        if let preflight = cors.preflight(exchange.request) { return exchange.respond(preflight) }
        let task = Task {
            let response = await answer(exchange.request)
            exchange.respond(making: { self.complete(response, exchange.request) })
        }
        exchange.onAbandon { task.cancel() }
    }

    // MARK: - Stages

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        do {
            let (route, names) = try route(of: request)
            let call = try AuthRequest.read(request, path: names, trustedHops: trustedHops)
            return AuthResponse.make(try await withDeadline { try await self.run(route, call, request) })
        } catch {
            let fault = fault(of: error, request)
            return AuthResponse.make(
                fault, version: request.headers.first(name: "x-supabase-api-version"),
                requestID: request.id.description)
        }
    }

    private func route(of request: HTTPRequest) throws(AuthFault) -> (AuthRoute, [String: String]) {
        guard let segments = AuthRequest.segments(request.path, below: prefix) else { throw .noRoute }
        var isKnownPath = false
        let method: HTTPMethod = request.method == .HEAD ? .GET : request.method
        for route in AuthRoute.all {
            guard let names = route.match(segments) else { continue }
            if route.method == method { return (route, names) }
            isKnownPath = true
        }
        throw isKnownPath ? .noMethod : .noRoute
    }

    private func run(_ route: AuthRoute, _ call: AuthCall, _ request: HTTPRequest) async throws -> AuthAnswer
    {
        switch route.handler {
        case .open(let handler): return try await handler(service, call)
        case .optional(let handler):
            // A client that signs in again still sends the token of the session before, which may have ended.
            let claims = (try? claims(request)).flatMap { $0["session_id"] == nil ? nil : $0 }
            guard let claims else { return try await handler(service, call, nil) }
            return try await handler(service, call, try? await service.caller(claims: claims))
        case .user(let handler):
            return try await handler(service, call, try await service.caller(claims: try claims(request)))
        case .admin(let handler):
            // Browsers say so themselves (Fetch Metadata). A service key in one is in the hands of whoever opens its tools.
            guard request.headers.first(name: "sec-fetch-site") == nil else {
                throw AuthFault.keyInBrowser
            }
            let claims = try claims(request)
            var call = call
            call.keyName = claims["key_name"]?.text
            return try await handler(service, call, try service.administrator(claims: claims))
        }
    }

    /// The claims of the token in `Authorization`; the key in `apikey` proves nothing about who calls.
    private func claims(_ request: HTTPRequest) throws(AuthFault) -> JSONObject {
        guard let field = request.headers.first(name: "authorization"),
            let token = BearerToken.inAuthorization(field), !token.isEmpty
        else { throw .noAuthorization }
        do throws(TokenFault) {
            let principal = try verifier.principal(forBearer: token)
            return (try? JSONReader.read(principal.claims).object) ?? [:]
        } catch {
            if case .sessionEnded = error { throw .sessionNotFound }
            if case .apiKeyUnknown = error { throw AuthFault(401, "no_authorization", error.fault.message) }
            throw AuthFault(
                403, "bad_jwt", "invalid JWT: unable to parse or verify signature, \(error.fault.message)")
        }
    }

    private func withDeadline(
        _ body: @escaping @Sendable () async throws -> AuthAnswer
    ) async throws -> AuthAnswer {
        let clock = RequestClock()
        return try await RequestClock.$current.withValue(clock) {
            try await withThrowingTaskGroup(of: AuthAnswer.self) { group in
                group.addTask(operation: body)
                group.addTask {
                    var left = Self.deadline
                    while left > .zero {
                        try await Task.sleep(for: max(left, .milliseconds(20)))
                        left = clock.left(of: Self.deadline)
                    }
                    throw Self.tookTooLong
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw AuthFault.unexpected }
                return answer
            }
        }
    }

    // MARK: - Answers

    private func fault(of error: any Error, _ request: HTTPRequest) -> AuthFault {
        if let fault = error as? AuthFault { return fault }
        logger.error(
            "authentication failed",
            metadata: ["request": "\(request.id)", "path": "\(request.path)", "reason": "\(reason(error))"])
        guard let fault = error as? PostgresFault else { return .unexpected }
        switch fault.kind {
        case .unavailable, .poolFull, .poolTimeout, .shutdown, .connectionLost:
            return AuthFault(503, "unexpected_failure", "The database cannot be reached", retryAfter: 1)
        case .timeout, .cancelled: return Self.tookTooLong
        // A statement that was cancelled, whoever asked for it (PostgreSQL, "Error Codes").
        case .server where fault.sqlState == "57014": return Self.tookTooLong
        default: return .unexpected
        }
    }

    private static let tookTooLong = AuthFault(504, "request_timeout", "Processing this request timed out")

    private func reason(_ error: any Error) -> String {
        guard let fault = error as? PostgresFault else { return "\(error)" }
        return "\(fault.sqlState ?? "") \(fault.message) \(fault.detail ?? "") \(fault.context ?? "")"
    }

    private func complete(_ response: HTTPResponse, _ request: HTTPRequest) -> HTTPResponse {
        var response = response
        response.fields += cors.fields(
            for: request,
            exposing: "X-Total-Count, Link, X-Supabase-Api-Version, x-sb-error-code, Retry-After")
        if isSecure { response.fields.append(AuthResponse.strictTransport) }
        if request.method == .HEAD { response.body = .none }
        return response
    }
}

extension AuthFault {
    fileprivate static let noRoute = AuthFault(404, "not_found", "Nothing is served at this path")
    fileprivate static let keyInBrowser = AuthFault(
        403, "not_admin", "A service key must not be used in a browser")
    fileprivate static let noMethod = AuthFault(405, "method_not_allowed", "Not with this method")
}
