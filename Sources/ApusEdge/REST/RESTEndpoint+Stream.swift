import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusPostgres
import ApusREST
import ApusRealtime
import NIOCore
import NIOHTTP1

/// Reads as streams (`Accept: text/event-stream`).
extension RESTEndpoint {
    /// Answers a read with a stream of server-sent events: its result, and then what changes in it.
    func stream(
        _ compiled: CompiledRequest, _ request: DataRequest, shapeKey: [UInt8]?, _ call: RESTCall
    ) throws(Fault) {
        guard let live else { throw LiveFault.noFeed(reason: nil) }
        guard compiled.isRead else { throw LiveFault.notARead }
        if let reason = live.reasonNotToFollow { throw LiveFault.noFeed(reason: reason) }
        call.label = compiled.label
        let exchange = call.exchange
        let relations = ReadProfile.named(compiled)
        Task { [self] in
            await live.reaches.find(relations)
            exchange.eventLoop.execute { self.begin(live, compiled, request, shapeKey, call) }
        }
    }

    // MARK: - Non public

    private func begin(
        _ live: LiveReads, _ compiled: CompiledRequest, _ request: DataRequest, _ shapeKey: [UInt8]?,
        _ call: RESTCall
    ) {
        let headers = call.exchange.request.headers
        let body = HTTPBodyStream(limit: 4 << 20)
        let id = follow(
            live, compiled, request, shapeKey: shapeKey, loop: call.exchange.eventLoop,
            token: Credentials.bearer(in: headers).map(String.init),
            lastEventID: headers.first(name: "last-event-id")
        ) { event in
            let isTold = body.write(ServerSentEvents.bytes(event))
            if case .end = event { body.finish() }
            return isTold
        }
        guard let id else { return finish(call, LiveFault.tooMany) }
        let loop = call.exchange.eventLoop
        // Not at once: whoever writes may hold what leaving needs.
        body.onEnd { _ in loop.execute { live.board.leave(id) } }
        let response = complete(
            RESTResponse(
                status: 200,
                fields: [
                    .init("Content-Type", ServerSentEvents.contentType), .init("Cache-Control", "no-store"),
                    .init("X-Accel-Buffering", "no"), .init("Vary", "Accept, Prefer, Range"),
                ]), call)
        var streamed = response
        streamed.body = .stream(body)
        call.exchange.respond(streamed)
    }

    /// Follows a read, together with everybody who follows the same.
    ///
    /// - Returns: what ends it; nil when too many reads are followed.
    func follow(
        _ live: LiveReads, _ compiled: CompiledRequest, _ request: DataRequest, shapeKey: [UInt8]?,
        loop: any EventLoop, token: String?, lastEventID: String?,
        tell: @escaping @Sendable (LiveEvent) -> Bool
    ) -> UInt64? {
        let read = LiveRead(compiled, request, shapeKey: shapeKey ?? [], fields: nil, live)
        let isExact = read?.reading != nil && read?.mentionsMoments == false
        let key = shapeKey == nil || read == nil ? Self.uniqueKey() : read?.key ?? []
        let profile = read?.profile
        let lanes = lanes
        let data = data
        return live.board.follow(key, token: token, lastEventID: lastEventID, tell: tell) {
            LiveQuery(
                key: key, relations: isExact ? profile?.relations : nil, rowKey: profile?.rowKey,
                witnessed: profile?.source, clock: live.clock
            ) { receive in
                loop.execute {
                    do throws(Fault) {
                        _ = try data.answer(compiled, request, on: lanes.lane(for: loop)) { result in
                            receive(result.map { $0.body.copied })
                        }
                    } catch {
                        receive(.failure(error))
                    }
                }
            }
        }
    }

    /// For a read that is not shared.
    private static func uniqueKey() -> [UInt8] { (0..<16).map { _ in UInt8.random(in: .min ... .max) } }
}

/// Why a read cannot be followed.
enum LiveFault {
    static func noFeed(reason: String?) -> Fault {
        Fault(
            code: "APUS523", kind: .unavailable, message: "Reads cannot be followed now.",
            details: reason ?? "The change feed is switched off (realtime-enabled).",
            hint: "Changes are followed by logical replication; docs/realtime.md says what it needs.")
    }

    static let notARead = Fault(
        code: "APUS526", kind: .notAcceptable, message: "Only reads of tables and views can be followed.",
        hint: "Ask for application/json here.")

    static let tooMany = Fault(
        code: "APUS525", kind: .unavailable, message: "Too many reads are followed.",
        hint: "Try again later, or raise live-max-streams.", fields: [.init(name: "Retry-After", value: "5")])
}
