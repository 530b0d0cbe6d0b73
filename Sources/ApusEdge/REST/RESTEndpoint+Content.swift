import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusREST
import ApusRealtime
import NIOCore

/// Reads of which the change feed cannot say whether they would answer otherwise (`docs/live.md`, "Again"): each is asked,
/// its tag says what the answer was, and `304` saves the body.
extension RESTEndpoint {
    func answerByContent(
        _ live: LiveReads, _ compiled: CompiledRequest, _ request: DataRequest, _ call: RESTCall
    ) throws(Fault) {
        if observe.looksIntoSlowRequests { call.work = RESTCall.Work(compiled, request) }
        call.timing.begin()
        let asked = ContentAsk(compiled: compiled, request: request, reading: live.clock.reading())
        let stop = try ask(compiled, request, on: call.exchange.eventLoop) { [self] result in
            call.timing.end(.transaction)
            call.timing.begin()
            guard case .success(let answer) = result,
                let response = try? AnswerResponse(
                    answer, canonicalQuery: canonicalQuery(of: call.exchange.request.query)
                ).make(), response.status == 200 || response.status == 206, response.hasBody
            else { return call.exchange.respond(self.response(result, call)) }
            respond(response, live, asked, call)
        }
        call.exchange.onAbandon(stop)
    }

    /// Tags an answer by its content; or says that it is the one that the client has, now or after waiting.
    func respond(_ response: RESTResponse, _ live: LiveReads, _ asked: ContentAsk, _ call: RESTCall) {
        let tag = EntityTag(content: response.body.contentHash)
        if call.fields.tags.contains(where: { $0.body == tag.body }) {
            return call.exchange.eventLoop.execute { self.wait(live, tag, asked, call) }
        }
        var response = response
        response.fields.append(.init("ETag", tag.text))
        call.exchange.respond(complete(response, call))
    }

    // MARK: - Non public

    /// The shortest time between two questions of one request, and the longest.
    private static let contentPause = TimeAmount.seconds(1)
    private static let contentRound = TimeAmount.seconds(10)

    /// Holds the request until a change of any table, or a while, is a reason to ask again; until its time is over.
    private func wait(
        _ live: LiveReads, _ tag: EntityTag, _ asked: ContentAsk, _ call: RESTCall
    ) {
        let loop = call.exchange.eventLoop
        let left = TimeAmount.seconds(Int64(call.waitSeconds)) - call.waited
        guard left > .zero, !live.isDraining else { return respond(notModified: tag, call) }
        let began = NIODeadline.now()
        let again: @Sendable () -> Void = {
            call.waited = call.waited + (NIODeadline.now() - began)
            guard call.waited < .seconds(Int64(call.waitSeconds)), !live.isDraining else {
                return self.respond(notModified: tag, call)
            }
            do throws(Fault) {
                try self.answerByContent(live, asked.compiled, asked.request, call)
            } catch {
                self.finish(call, error)
            }
        }
        let earliest = asked.began + Self.contentPause
        let watch = live.board.watch(nil) {
            let pause = live.isDraining ? .zero : min(max(.zero, earliest - .now()), left)
            loop.scheduleTask(in: pause, again)
        }
        let timer = loop.scheduleTask(in: min(left, Self.contentRound)) { if watch.end() { again() } }
        watch.onEnd { timer.cancel() }
        call.exchange.onAbandon { _ = watch.end() }
        // What changed since the question, or a moment before it, may not be in the answer.
        if live.isDraining || asked.reading.map({ live.clock.hasHeard(since: $0) }) == true { watch.fire() }
    }
}

/// A question whose answer is told by its content.
struct ContentAsk: Sendable {
    var compiled: CompiledRequest
    var request: DataRequest
    /// What the answer shows at least; nil while the feed does not run.
    var reading: RelationClock.Reading?
    var began = NIODeadline.now()
}
