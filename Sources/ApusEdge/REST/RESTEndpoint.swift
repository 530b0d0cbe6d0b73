package import ApusDataAPI
import ApusFaults
package import ApusHTTP
package import ApusPostgres
package import ApusREST
package import ApusTokens
import NIOCore
import NIOHTTP1

/// The PostgREST dialect on HTTP exchanges.
///
/// The way of a request of data, all of it on the connection's event loop but the round trip:
/// token → principal, bytes → shape, shape → compiled request, round trip, answer → response.
package final class RESTEndpoint: Sendable {
    /// What of the configuration shapes an answer of this endpoint.
    package struct Settings: Sendable {
        /// `rest-prefix`, without a slash at its end.
        package var prefix: String
        /// `client-error-verbosity`
        package var showsDetails: Bool
        /// `server-timing-enabled`
        package var tellsTiming: Bool
        /// `server-trace-header`
        package var traceHeader: String?
        /// `idempotency-lifetime`: how long the answer to a request with an idempotency key is kept, seconds.
        package var idempotencyLifetime: Int
        /// `batch-max-requests`
        package var batchLimit: Int
        /// `batch-max-bytes`
        package var batchBytes: Int

        package init(
            prefix: String = "/rest/v1", showsDetails: Bool = true, tellsTiming: Bool = false,
            traceHeader: String? = nil, idempotencyLifetime: Int = 86_400, batchLimit: Int = 100,
            batchBytes: Int = 16 << 20
        ) {
            self.prefix = prefix
            self.showsDetails = showsDetails
            self.tellsTiming = tellsTiming
            self.traceHeader = traceHeader
            self.idempotencyLifetime = idempotencyLifetime
            self.batchLimit = batchLimit
            self.batchBytes = batchBytes
        }
    }

    let data: DataAPI
    let reader: RequestReader
    let settings: Settings
    let descriptions: Descriptions
    private let verifier: TokenVerifier
    private let cors: CORS
    let observe: RequestObserver
    let lanes: Lanes
    /// nil where there is no change feed.
    let live: LiveReads?

    package init(
        data: DataAPI, reader: RequestReader, verifier: TokenVerifier, cors: CORS,
        descriptions: Descriptions, settings: Settings, observe: RequestObserver,
        live: LiveReads? = nil
    ) {
        self.data = data
        lanes = Lanes(data: data)
        self.reader = reader
        self.verifier = verifier
        self.cors = cors
        self.descriptions = descriptions
        self.settings = settings
        self.observe = observe
        self.live = live
    }

    /// Answers an exchange below the prefix.
    package func respond(_ exchange: HTTPExchange) {
        let request = exchange.request
        if let preflight = cors.preflight(request) { return exchange.respond(preflight) }
        let call = RESTCall(
            exchange, prefix: settings.prefix, fields: .of(request, live), tellsTiming: settings.tellsTiming)
        do throws(Fault) {
            call.timing.begin()
            if let refusal = call.fields.refusal { throw refusal.fault }
            let (principal, isAnonymous) = try identify(call.fields.bearer)
            call.timing.end(.token)
            try read(call, principal, isAnonymous)
        } catch {
            finish(call, error)
        }
    }

    // MARK: - Stages

    /// Whom a token stands for.
    func identify(_ token: Substring?) throws(Fault) -> (Principal, isAnonymous: Bool) {
        do {
            let principal = try verifier.principal(forBearer: token)
            let isAnonymous = verifier.anonymous.map { $0.role == principal.role } ?? false
            return (principal, isAnonymous)
        } catch {
            throw error.fault
        }
    }

    private func read(_ call: RESTCall, _ principal: Principal, _ isAnonymous: Bool) throws(Fault) {
        call.timing.begin()
        let request = try restRequest(call)
        if request.path == ["$batch"] { return try batch(request, principal, isAnonymous, call) }
        var shape = RequestShape()
        let isKnown = reader.shape(of: request, into: &shape)
        let dataRequest = DataRequest(
            principal: principal, isAnonymous: isAnonymous,
            values: RequestValues(arena: shape.values.arena, ranges: shape.values.ranges), body: shape.body,
            context: call)
        call.timing.end(.parse)
        call.timing.begin()
        if isKnown, request.method != "OPTIONS", let known = try data.known(shape.key) {
            call.timing.end(.plan)
            call.shapeKey = shape.key
            return try run(known, dataRequest, call, shapeKey: shape.key)
        }
        switch try reader.ask(of: request, shape: shape) {
        case .data(let intent):
            let compiled = try data.prepare(intent, key: isKnown ? shape.key : nil)
            call.timing.end(.plan)
            call.shapeKey = shape.key
            try run(compiled, dataRequest, call, shapeKey: isKnown ? shape.key : nil)
        case let description:
            call.timing.end(.plan)
            describe(description, dataRequest, call)
        }
    }

    func run(
        _ compiled: CompiledRequest, _ request: DataRequest, _ call: RESTCall, shapeKey: [UInt8]?
    ) throws(Fault) {
        if call.liveAsk.wantsEvents { return try stream(compiled, request, shapeKey: shapeKey, call) }
        call.label = compiled.label
        let principal = request.principal
        if let live, call.exchange.request.method == .GET, compiled.changesNothing {
            if let shapeKey, try answerLive(live, compiled, request, shapeKey: shapeKey, call) { return }
            return try answerByContent(live, compiled, request, call)
        }
        if observe.looksIntoSlowRequests { call.work = RESTCall.Work(compiled, request) }
        let key = try idempotencyKey(
            of: call.exchange.request, for: compiled, request.principal.claims,
            role: request.principal.role)
        if let key { return runOnce(compiled, request, key: key, call) }
        if data.limitsCost(of: request.principal.role) { return runWithinCost(compiled, request, call) }
        call.timing.begin()
        let lane = lanes.lane(for: call.exchange.eventLoop)
        let submission = try data.answer(compiled, request, on: lane) { [self] result in
            call.timing.end(.transaction)
            call.timing.begin()
            if let live, !compiled.isReadOnly, live.tellsPositions {
                return answerWrite(live, result, principal, call)
            }
            call.exchange.respond(response(result, call))
        }
        call.exchange.onAbandon { submission.cancel() }
    }

    // MARK: - Responses

    func response(_ result: Result<Answer, Fault>, _ call: RESTCall) -> HTTPResponse {
        let made = result.flatMap { answer in
            Result { () throws(Fault) in
                try AnswerResponse(answer, canonicalQuery: canonicalQuery(of: call.exchange.request.query))
                    .make()
            }
        }
        switch made {
        case .success(let response): return complete(response, call)
        case .failure(let fault):
            return complete(FaultResponse.make(fault, isVerbose: settings.showsDetails), call, fault)
        }
    }

    func finish(_ call: RESTCall, _ fault: Fault) {
        call.exchange.respond(
            complete(FaultResponse.make(fault, isVerbose: settings.showsDetails), call, fault))
    }

    /// Adds what every response carries, and tells the observer.
    func complete(_ response: RESTResponse, _ call: RESTCall, _ fault: Fault? = nil) -> HTTPResponse {
        let request = call.exchange.request
        var fields = response.fields
        if call.fields.origin != nil { fields += cors.fields(for: request) }
        if let header = settings.traceHeader {
            fields.append(.init(header, request.headers.first(name: header) ?? ""))
        }
        if let id = Self.shownID(request.id, status: response.status, besides: settings.traceHeader) {
            fields.append(.init("X-Request-Id", id))
        }
        if let position = call.position {
            fields.append(.init("Apus-Lsn", "\(position)"))
            fields.append(
                .init("Set-Cookie", "apus-lsn=\(position); Path=/; Max-Age=60; HttpOnly; SameSite=Lax"))
        }
        if settings.tellsTiming {
            call.timing.end(.response)
            fields.append(.init("Server-Timing", call.timing.field))
        }
        observe.finished(call, status: response.status, fault: fault)
        return HTTPResponse(
            status: response.status, fields: fields,
            body: response.hasBody ? Self.body(response.body) : .none)
    }

    /// The id by which the log knows the request: where the client chose it, or may have to ask about it.
    private static func shownID(_ id: RequestID, status: Int, besides traceHeader: String?) -> String? {
        if traceHeader?.lowercased() == "x-request-id" { return nil }
        if case .given(let text) = id { return text }
        return status >= 500 ? id.description : nil
    }

    private static func body(_ body: Answer.Body) -> HTTPResponse.Body {
        switch body {
        case .none: return .bytes([])
        case .bytes(let bytes): return .bytes(bytes)
        case .cell(let rows, let row, let column):
            return .deferred(length: rows.length(row, column)) { buffer in
                rows.withBytes(row, column) { bytes in
                    if let bytes { _ = buffer.writeBytes(bytes) }
                }
            }
        }
    }

    // MARK: - Reading HTTP

    private func restRequest(_ call: RESTCall) throws(Fault) -> RESTRequest {
        let request = call.exchange.request
        let isRead = request.method == .GET
        if isRead { call.liveAsk = call.fields.liveAsk }
        return RESTRequest(
            method: request.method.rawValue,
            path: try PathSegments.read(request.path, below: settings.prefix),
            query: Array(request.query.utf8),
            fields: isRead ? call.fields.dialectOfRead : call.fields.dialect,
            body: request.body.map { Array($0.readableBytesView) } ?? [])
    }
}
