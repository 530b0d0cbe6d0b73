import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusPlanner
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
        let read = try FollowableRead(live, compiled, request, shapeKey: shapeKey)
        call.label = compiled.label
        Task { [self] in
            await read.prepare()
            call.exchange.eventLoop.execute { self.begin(read, call) }
        }
    }

    /// Follows a read, together with everybody who follows the same.
    func follow(
        _ read: FollowableRead, loop: any EventLoop, token: String?, lastEventID: String?,
        tell: @escaping @Sendable (LiveEvent) -> Bool
    ) -> LivePlace {
        let live = read.live
        let known = LiveRead(
            read.compiled, read.request, shapeKey: read.shapeKey ?? [], fields: nil, live)
        let key = read.shapeKey == nil ? nil : known?.key
        let ownKey = key ?? Self.uniqueKey()
        return live.board.follow(
            ownKey, version: read.version, token: token, lastEventID: lastEventID, tell: tell
        ) { id in
            question(id, ownKey, isShared: key != nil, read, known, loop)
        }
    }

    // MARK: - Non public

    private func begin(_ read: FollowableRead, _ call: RESTCall) {
        let headers = call.exchange.request.headers
        let body = HTTPBodyStream(limit: read.live.settings.queueBytes)
        let tell: @Sendable (LiveEvent) -> Bool = { event in
            let isTold = body.write(ServerSentEvents.bytes(event))
            if case .end = event { body.finish() }
            return isTold
        }
        let place = follow(
            read, loop: call.exchange.eventLoop, token: Credentials.bearer(in: headers).map(String.init),
            lastEventID: headers.first(name: "last-event-id"), tell: tell)
        let loop = call.exchange.eventLoop
        switch place {
        case .full: return finish(call, LiveFault.tooMany)
        case .outdated: _ = tell(.end(.schemaChanged))
        case .taken(let id):
            // Not at once: whoever writes may hold what leaving needs.
            body.onEnd { _ in loop.execute { read.live.board.leave(id) } }
        }
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

    private func question(
        _ id: UInt64, _ key: [UInt8], isShared: Bool, _ read: FollowableRead, _ known: LiveRead?,
        _ loop: any EventLoop
    ) -> LiveQuestion {
        // Whether the feed brings these tables, and where it is, may change: that is asked with each answer.
        let isExact = known?.profile.isExact == true && known?.mentionsMoments == false
        let profile = known?.profile
        let showsView: Bool
        if case .read(let plan) = read.compiled.plan.work {
            showsView = plan.range.offset == 0
        } else {
            showsView = false
        }
        return LiveQuestion(
            id: id, key: key, isShared: isShared, relations: isExact ? profile?.relations : nil,
            rowKey: profile?.rowKey, source: profile?.source.map { ($0.relation, $0.columns) },
            showsView: showsView,
            view: isExact && profile?.looksAtSourceOnce == true ? view(read, profile?.source?.relation) : nil
        ) { reply in
            loop.execute { self.ask(read, on: loop, reply) }
        }
    }

    /// Finds which rows of its source a read may show.
    private func view(_ read: FollowableRead, _ source: UInt32?) -> LiveQuestion.MakeView? {
        guard case .read(let plan) = read.compiled.plan.work, let source else { return nil }
        let condition = ReadCondition.of(plan, read.request.values)
        return { () async throws(Fault) in
            try await read.live.views.view(of: source, where: condition, for: read.request.principal)
        }
    }

    private func ask(
        _ read: FollowableRead, on loop: any EventLoop, _ reply: @escaping LiveQuestion.Reply
    ) {
        let most = read.live.settings.resultBytes
        read.live.countRead()
        let receive: @Sendable (Result<Answer, Fault>) -> Void = { result in
            reply(
                result.flatMap { answer in
                    answer.body.count > most
                        ? .failure(LiveFault.resultTooLarge(most)) : .success(answer.body.copied)
                })
        }
        do throws(Fault) {
            _ = try ask(read.compiled, read.request, on: loop, reply: receive)
        } catch {
            receive(.failure(error))
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
        code: "APUS526", kind: .notAcceptable,
        message: "Only reads can be followed: of tables, views, and functions that change nothing.",
        hint: "Ask for application/json here.")

    static func resultTooLarge(_ limit: Int) -> Fault {
        Fault(
            code: "APUS531", kind: .tooLarge, message: "The result is too large to be followed.",
            details: "The limit is \(limit) bytes.",
            hint: "Follow less of it (limit, select, a filter), or raise live-max-result.")
    }

    static let tooMany = Fault(
        code: "APUS525", kind: .unavailable, message: "Too many reads are followed.",
        hint: "Try again later, or raise live-max-streams.", fields: [.init(name: "Retry-After", value: "5")])
}
